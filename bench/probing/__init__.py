"""A model of a user's own, layer by layer: the exact size of every gradient, what is wrong, and what usually mends it."""
