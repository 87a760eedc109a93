"""What is said of a value that cannot be used."""

from __future__ import annotations


class SweepError(ValueError):
    """A field of a sweep that cannot be: its text names the field, the value, and what is accepted."""

    def __init__(self, field: str, value: object, accepted: str) -> None:
        super().__init__(f"{field}: got {value!r}, expected {accepted}")
        self.field = field
        self.accepted = accepted
