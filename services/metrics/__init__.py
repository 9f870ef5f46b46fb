"""Metrics: what a process counts of itself, shown to Prometheus on a loopback address."""
