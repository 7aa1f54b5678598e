"""One-sentence readings, made from the measured numbers alone."""
