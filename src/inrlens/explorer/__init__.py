"""What do people touch? The bundle of files that the explorer's page reads, from runs and their dictionaries."""
