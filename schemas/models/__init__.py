"""The match model that ships with hwlink, as a JSON document."""
