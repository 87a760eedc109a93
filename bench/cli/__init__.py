"""The command line: one module for each command, and what they share in :mod:`bench.cli.parser`."""
