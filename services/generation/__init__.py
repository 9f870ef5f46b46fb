"""What `python -m services.generate` writes, one module for each kind of file.

For developers only: it needs a checkout (the protos lie beside the packages) and the `dev` extra (grpcio-tools).
Every function here returns texts by path and writes nothing, so that drift can be told without touching a file.
"""
