"""Plain networks in number formats: what of every layer's exact gradient a format loses."""
