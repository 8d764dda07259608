"""Attaching the layer to functions, and detaching it: plans, notes, changes."""
