"""Figures out of exported log files, of any size, through DuckDB."""
