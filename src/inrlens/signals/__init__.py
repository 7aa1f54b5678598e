"""What is fitted? Values on a grid, and where they come from."""
