"""One page of a run, or of several beside each other: a single file that opens from disk and asks no network."""
