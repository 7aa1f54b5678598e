"""The sections of the page: each looks for its data in a run and returns None where there is none."""
