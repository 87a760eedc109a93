"""The command line of figures."""
