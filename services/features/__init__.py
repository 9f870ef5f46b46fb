"""The feature builder: turns memberships and landed facts into a table of features, snapshots and consumers'
records.
"""
