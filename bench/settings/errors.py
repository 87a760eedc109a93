"""What is said of a value that cannot be used."""

from __future__ import annotations

from collections.abc import Mapping

LONGEST = 120  # characters of a value in a message: enough to know it again


class UsageError(ValueError):
    """What was asked for cannot be done; the text is "argument: what was given, and what is accepted".

    Arguments are called as they are from Python, where ``in_python`` is said too. A command line writes ``field`` in its own
    way, before what is ``told`` of it, which ends with ``as_options``.
    """

    def __init__(self, text: str, *, in_python: str = "", as_options: str = "") -> None:
        super().__init__(text + in_python)
        self.field, _, self.told = (text + as_options).partition(": ")


class SweepError(UsageError):
    """A field of a sweep that cannot be: its text names the field, the value, and what is accepted.

    beside: another field and its value, where these two do not go together.
    """

    def __init__(self, field: str, value: object, accepted: str, beside: tuple[str, object] | None = None) -> None:
        got, expected = f"{field}: got {shown(value)}", f", expected {accepted}"
        if beside is None:
            super().__init__(got + expected)
        else:
            other, its = beside[0], f"{shown(beside[1])}{expected}"
            in_python, as_options = f" beside {other}={its}", f" beside --{other.replace('_', '-')} {its}"
            super().__init__(got, in_python=in_python, as_options=as_options)
        self.accepted = accepted


class ChunkError(RuntimeError):
    """Chunks of a run could not be measured; all others were. Its one line says how many, why, and what tries them again."""

    def __init__(self, folder: object, failed: Mapping[str, str], chunks: int) -> None:
        shard, why = min(failed.items())
        which = f"{len(failed)} of {chunks} chunks failed ({shard.partition('.')[0]}: {why})"
        super().__init__(f"{folder}: {which}; the same command tries them again")


def shown(value: object) -> str:
    """A value as Python writes it, without its middle where it is long."""
    try:
        text = repr(value)
    except Exception as error:  # a whole number of 5,000 digits, or the user's own class
        return f"a {type(value).__name__} that cannot be written ({type(error).__name__})"
    return text if len(text) <= LONGEST else f"{text[: LONGEST // 2]}…{text[-LONGEST // 4 :]}"
