"""What will it cost? Operations, time and memory of a study before it starts, and what a cut costs."""
