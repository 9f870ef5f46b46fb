"""The matcher: holds every subject in memory, compares the new with the held, says which pairs may be one person."""
