"""What do people read? One self-contained HTML page from a run folder: figures, tables and what they say."""
