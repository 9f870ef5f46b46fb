"""One step each, oldest first; a step that has been released is never changed."""
