"""How both command lines speak: options, one-line errors, progress."""
