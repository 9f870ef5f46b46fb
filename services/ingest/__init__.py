"""The door: feeds come in over gRPC, are checked, split into linkage variables and content, and put on their topics."""
