"""Exports: what a consumer may have of a snapshot, as Delta tables of its own outside the lake."""
