"""A claim of a paper: what it published, how ours is measured, and the rule by which the two are compared."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from numbers import Real
from typing import Any, NamedTuple

from bench.settings.errors import shown

REPRODUCED, DIFFERS, UNRESOLVED, OUT_OF_SCOPE = "reproduced", "differs", "not resolved", "out of scope"
VERDICTS = (REPRODUCED, DIFFERS, UNRESOLVED, OUT_OF_SCOPE)
SEEN, SECONDARY, RECALLED = "seen", "secondary", "recalled"
SURE = {SEEN: "seen in the paper", SECONDARY: "from a secondary source", RECALLED: "recalled, not looked up"}
Frames = Mapping[str, Any]  # "LABEL": the cells of that run; "LABEL.layers", "LABEL.pairs", "LABEL.curves": its other tables


class Estimate(NamedTuple):
    """A number and its 95 % interval over seeds; of what is exact, the number three times."""

    value: float
    low: float
    high: float


class Range(NamedTuple):
    """Where a number has to lie for a claim to hold, both ends included."""

    low: float = -math.inf
    high: float = math.inf


EVERYTHING = Range()


@dataclass(frozen=True, kw_only=True)
class Claim:
    """One sentence of a paper, in our words, and all that makes its verdict.

    name: two words for it, unique in its paper. where: the figure, equation or table. published: the number as the paper
    has it, and ``sure``: how that is known (:data:`SURE`). quantity: what ``measure`` returns, in words, with its unit.
    accepts: the range in which our number has to lie, as wide as the published number is uncertain. theory: the number that
    mean field or a closed form has for ours, where there is one. because: the likely reason, told where the verdict is
    another than *reproduced*. A claim without ``measure`` is out of scope, and ``because`` says why.
    """

    name: str
    sentence: str
    where: str
    published: str
    sure: str = RECALLED
    quantity: str = ""
    measure: Callable[[Frames], Estimate] | None = None
    accepts: Range = EVERYTHING
    theory: Callable[[], float] | None = None
    because: str = ""

    def __post_init__(self) -> None:
        check_texts(self, "name", "sentence", "where", "published", "quantity", "because")
        if not isinstance(self.accepts, Range) or not all(map(is_number, self.accepts)):
            raise ValueError(f"accepts: got {shown(self.accepts)}, expected a Range of two numbers for {self.name!r}")
        if self.sure not in SURE:
            raise ValueError(f"sure: got {self.sure!r}, expected one of {', '.join(SURE)}")
        if self.measure is None and not self.because:
            raise ValueError(f"because: got nothing, expected why {self.name!r} is out of scope")
        if self.measure is not None and self.accepts == EVERYTHING:
            raise ValueError(f"accepts: got every number, expected a range that {self.name!r} can miss")


def check_texts(of: Any, *fields: str) -> None:
    """Raises ValueError where one of these fields is no text."""
    for field in fields:
        if not isinstance(getattr(of, field), str):
            told = f"{field}: got {shown(getattr(of, field))}, expected text"
            raise ValueError(told if field == "name" else f"{told} for {of.name!r}")


def is_number(value: Any) -> bool:
    """Whether it is one: Python's, NumPy's or JAX's."""
    return isinstance(value, Real) or getattr(value, "shape", None) == ()


def verdict(claim: Claim, found: Estimate | None) -> str:
    """*Reproduced* where the interval lies within what is accepted, *differs* where it lies outside, else *not resolved*."""
    if found is None:
        return OUT_OF_SCOPE
    low, high = claim.accepts
    if found.low >= low and found.high <= high:
        return REPRODUCED
    if found.high < low or found.low > high:
        return DIFFERS
    return UNRESOLVED  # NaN too


def judge(claim: Claim, frames: Frames) -> dict[str, Any]:
    """The claim as a row of the table: its words, our number with its interval, theory's, and the verdict."""
    found = claim.measure(frames) if claim.measure else None
    result = verdict(claim, found)
    value, low, high = found or Estimate(math.nan, math.nan, math.nan)
    return {
        "name": claim.name,
        "claim": claim.sentence,
        "where": claim.where,
        "published": claim.published,
        "sure": claim.sure,
        "quantity": claim.quantity,
        "ours": float(value),
        "low": float(low),
        "high": float(high),
        "accepts_low": float(claim.accepts.low),
        "accepts_high": float(claim.accepts.high),
        "theory": float(claim.theory()) if claim.theory else math.nan,
        "verdict": result,
        "because": "" if result == REPRODUCED else claim.because,
    }
