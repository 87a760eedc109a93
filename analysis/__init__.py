"""Look at runs: from rows to numbers and figures. Nothing here computes a gradient."""
