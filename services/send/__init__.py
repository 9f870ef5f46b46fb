"""The controller's end: reads a pseudonymised file, sends it in batches, resumes, and says what became of it."""
