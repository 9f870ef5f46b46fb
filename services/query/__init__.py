"""The query service: safe counts and tables, and rows where the purpose permits them, from published snapshots
only.
"""
