"""What people read of a study: its tables, its figures, its page, and the same for a paper."""
