"""Admin: how far each role has come, whether sent, landed and refused add up, and which snapshots there are."""
