"""What is meant where nothing is written, for what measures and what looks alike."""

VALUES = (4.0, 2.0, 1.0)  # singular values of the task ``saxe``
