"""Pseudonyms that were there before: other schemes' digests and ids, the domains that they belong to, and the bridges
between these.
"""
