"""What holds over many? Runs that put several fits side by side."""
