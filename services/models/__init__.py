"""The models of a deployment: fitted on what is held, stored in the linkage zone, adopted while the stream goes on."""
