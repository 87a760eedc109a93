"""What vanishing and exploding gradients cost: training on the same grid as a sweep's."""
