"""What every command ends with: an exit status, and at most one line of what went wrong."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from types import MappingProxyType

from bench.settings.errors import ChunkError, UsageError
from bench.terminal.parser import flag
from bench.terminal.signals import INTERRUPTED, say_when_interrupted
from bench.terminal.streams import note, settle_output

AS_OPTIONS: Mapping[str, str] = MappingProxyType({})


def guarded(
    work: Callable[[], int | None], prog: str, *, resumes: bool = False, written: Mapping[str, str] = AS_OPTIONS
) -> int:
    """What ``work`` returns, or the exit status of what it raises, which is told in one line.

    0: done, or the reader of standard output has left; 2: bad arguments; 130: interrupted; 1: the operating system refused
    something, or chunks of a run failed. ``resumes``: the same command finishes the rest; ``written``: how the command line
    writes those arguments that are no options, or have another name from Python. Raises what nobody foresaw.
    """
    interrupted = f"{prog}: interrupted{'; the same command finishes the rest' if resumes else ''}"
    say_when_interrupted(interrupted)
    try:
        status = _status_of(work)
        if sys.stdout is not None:
            sys.stdout.flush()
    except UsageError as error:
        note(f"{prog}: error: {written.get(error.field) or _argument(error.field)}: {error.told}")
        return 2
    except ChunkError as error:
        note(f"{prog}: error: {error}")
        return 1
    except KeyboardInterrupt:
        note(interrupted)
        return INTERRUPTED
    except BrokenPipeError:
        settle_output()
        return 0
    except (MemoryError, RuntimeError) as error:
        if not isinstance(error, MemoryError) and "RESOURCE_EXHAUSTED" not in str(error):  # JAX's words for it
            raise
        note(f"{prog}: error: out of memory; ask for less at a time")
        return 1
    except OSError as error:
        settle_output()
        where = f"{error.filename}: " if error.filename else ""
        note(f"{prog}: error: {where}{error.strerror or error}")
        return 1
    return status


def _argument(field: str) -> str:
    """As it is written: what has a name in capitals, such as variables of the environment, is no option."""
    return field if field.isupper() else flag(field)


def _status_of(work: Callable[[], int | None]) -> int:
    try:
        return work() or 0
    except SystemExit as left:  # argparse has said its line, or its help
        return left.code if isinstance(left.code, int) else int(left.code is not None)
