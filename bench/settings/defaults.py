"""What is meant where nothing is written, for what measures and what looks alike."""

PLAIN = "plain"  # the architecture that is measured and trained by programs of its own
VALUES = (4.0, 2.0, 1.0)  # singular values of the task ``saxe``
