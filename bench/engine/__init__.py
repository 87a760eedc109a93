"""The fast exact passes for plain networks, from weights to norms, spectra and angles."""
