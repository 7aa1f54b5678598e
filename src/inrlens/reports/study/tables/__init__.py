"""A study's tables, one file each."""
