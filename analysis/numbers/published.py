"""What papers found, which figures show beside what was measured."""

TRAINABLE = 6.0  # Schoenholz et al. 2017, arXiv 1611.01232: networks can be trained up to about 6 ξ_c layers
DIMENSIONS = (1.17, 1.98)  # of the six boundaries of Sohl-Dickstein 2024, arXiv 2402.06184
