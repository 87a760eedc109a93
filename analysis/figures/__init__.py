"""One figure a file: ``plot_x(frame, *, ax=None) -> Axes``."""
