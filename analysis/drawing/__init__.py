"""What figures share: style, panels, axes, lines, files."""
