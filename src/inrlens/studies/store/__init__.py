"""What is known? Results of cells in one SQLite file, beside a folder of artefacts named by content hash."""
