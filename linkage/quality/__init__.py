"""How good a linkage is when nobody knows the truth: estimates with intervals, subgroups, sensitivity, checks."""
