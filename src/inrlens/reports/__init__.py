"""What do people read? Tables, figures and one self-contained page."""
