"""The agreements that ship with hwlink, one JSON document each, named by their id."""
