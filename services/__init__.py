"""What is done: thin shells around `linkage`, with ports, adapters, roles and the command line."""
