"""How the services speak: gRPC servers and channels, errors on the wire, logs, and locks against a second server."""
