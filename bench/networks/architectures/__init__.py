"""What a block of a network is: one architecture a file, each a plain function of arrays."""
