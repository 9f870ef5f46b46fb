"""The stores as a whole: backup, restore, and giving back the room of what is not needed any more."""
