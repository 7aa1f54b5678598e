"""Who computes it? The driver, which alone writes the store, and the workers that it hands cells to."""
