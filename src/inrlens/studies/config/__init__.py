"""What is asked? A study as plain numbers, read from a TOML file."""
