"""Floats whose exponent never ends."""
