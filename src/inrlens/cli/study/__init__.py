"""``inrlens study``: its verbs, one a file."""
