"""Landing: what ingest put on the topics goes into the lake, each message once. One instance a zone."""
