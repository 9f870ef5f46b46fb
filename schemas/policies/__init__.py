"""The disclosure policy and the purposes that ship with hwlink, as JSON documents."""
