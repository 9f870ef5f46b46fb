"""Review: explains links, hands uncertain pairs to reviewers who decide blind, and reports how good the linkage is."""
