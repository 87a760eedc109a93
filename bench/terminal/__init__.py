"""How both command lines speak and behave: options, one-line errors, progress, signals, streams that fail."""
