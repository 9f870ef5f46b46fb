"""Generated from `protos/` by `python -m services.generate`: `services.pb.hwlink.v1`."""
