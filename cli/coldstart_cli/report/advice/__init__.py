"""What to do about the figures, and what it costs: the arithmetic in words."""
