"""Initializations ranked, with theory beside them."""
