"""The command line: one module for each command. Each imports what it works with when it runs, so that help is quick."""
