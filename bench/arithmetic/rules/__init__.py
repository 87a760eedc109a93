"""What each primitive of JAX does to extended numbers, by its name."""
