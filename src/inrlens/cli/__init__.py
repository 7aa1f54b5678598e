"""What do people type? One thin verb a file; no logic."""
