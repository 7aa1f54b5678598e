"""What was found? The rows of a study's results, and the statistics over images and seeds."""
