"""A run on disk: its folder, manifest and shards, and the loop that fills it."""
