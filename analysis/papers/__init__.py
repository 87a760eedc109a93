"""Papers of the field, one a file: their runs, their figure, and what they claim, measured again."""
