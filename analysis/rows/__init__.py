"""Runs from disk as tidy frames, and which of their rows are wanted."""
