"""What is computed? The cells of a study, each with a key that is the hash of everything that decides its result."""
