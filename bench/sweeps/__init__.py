"""Sweeps: what is measured, as immutable data; its chunks; its rows; its runner."""
