"""What is meant: pure functions from values to values. No I/O, network, clock, chance or logging."""
