"""What runs tell while they run, on standard error."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import Any

from tqdm import tqdm


def progress_bar(total: float, missing: float, *, shown: bool, **format_options: Any) -> tqdm:
    """A bar of which ``missing`` of ``total`` is still to do; rarely redrawn where standard error is a file."""
    interval = 0.1 if sys.stderr.isatty() else 10
    return tqdm(total=total, initial=total - missing, disable=not shown, mininterval=interval, **format_options)


def report_undefined(schemes: Iterable[str]) -> None:
    """One line for all schemes that are undefined, each once, if there are any."""
    found = list(dict.fromkeys(schemes))
    if found:
        print(f"undefined, their rows are NaN: {'; '.join(found)}", file=sys.stderr)
