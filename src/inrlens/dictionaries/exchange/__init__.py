"""Can another library's dictionary be used here, and ours there? Reading and writing of their layouts."""
