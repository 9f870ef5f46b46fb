"""Column maps that ship: clear files of known layouts."""
