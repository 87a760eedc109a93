"""What a network is: initializers, activations, losses, and how its numbers are drawn."""
