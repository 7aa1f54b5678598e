"""What does one direction do? Codes, statistics, effects and edits of atoms."""
