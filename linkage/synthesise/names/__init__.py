"""Names: what people of each sex, cohort and community are called, and how often."""
