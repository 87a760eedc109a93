"""Which number formats a training step computes in: of weights, activations and gradients, with a loss scale."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from typing import Any

from bench.arithmetic.formats import FORMATS
from bench.arithmetic.scaling import SCALINGS
from bench.settings.checks import sequence
from bench.settings.errors import SweepError
from bench.settings.specs import parse_spec

MASTERS = ("float32", "bfloat16")
DYNAMIC = "dynamic"


@dataclass(frozen=True)
class Policy:
    """Formats of a step of training, written ``float16`` or ``float8_e4m3fn:gradients=float8_e5m2,scaling=tensor``.

    weights: of the parameters as they are used; activations, gradients: of the results of all primitives of the forward
    and the backward pass. others: if given, only operands of products (matrix products, convolutions) are of these formats,
    as 8-bit hardware has it, and all else is of this one. master: of the parameters that are kept, and of gradients
    divided by the loss scale. loss_scale: what the backward pass begins with, or ``dynamic``: the largest power of two at
    which no gradient overflows. scaling: a power of two for each array (``tensor``) or each block of 32 (``mx``), kept
    beside the numbers. Raises SweepError for what is none of these.
    """

    weights: str
    activations: str
    gradients: str
    master: str = "float32"
    loss_scale: float | str = 1.0
    scaling: str = "none"
    others: str | None = None

    def __post_init__(self) -> None:
        for name in ("weights", "activations", "gradients", "others"):
            value = getattr(self, name)
            if value not in FORMATS and not (name == "others" and value is None):
                raise SweepError(name, value, f"one of {', '.join(FORMATS)}")
        for name, accepted in (("master", MASTERS), ("scaling", SCALINGS)):
            if getattr(self, name) not in accepted:
                raise SweepError(name, getattr(self, name), f"one of {', '.join(accepted)}")
        scale = self.loss_scale
        number = isinstance(scale, int | float) and not isinstance(scale, bool) and math.isfinite(scale) and scale > 0
        if not number and scale != DYNAMIC:
            raise SweepError("loss_scale", scale, f"a number > 0, or {DYNAMIC}")

    @classmethod
    def parse(cls, text: object, field: str = "formats") -> Policy:
        """The policy that is written so; a format alone is that of all three. Raises SweepError."""
        if isinstance(text, Policy):
            return text
        spec = parse_spec(field, text, FORMATS)
        known = [each.name for each in fields(cls)]
        for name, _ in spec.arguments:
            if name not in known:
                raise SweepError(field, text, f"after the colon: {', '.join(known)}")
        try:
            return cls(**(dict.fromkeys(("weights", "activations", "gradients"), spec.name) | dict(spec.arguments)))
        except SweepError as error:
            raise SweepError(field, text, f"{error.field} to be {error.accepted}") from None

    def __str__(self) -> str:
        """As it is written, without what goes without saying."""
        usual: dict[str, Any] = {each.name: each.default for each in fields(self)}
        usual |= dict.fromkeys(("weights", "activations", "gradients"), self.activations)
        given = {name: getattr(self, name) for name in usual if getattr(self, name) != usual[name]}
        written = [f"{name}={value:g}" if isinstance(value, float) else f"{name}={value}" for name, value in given.items()]
        words = ",".join(written)
        return f"{self.activations}:{words}" if words else self.activations


def policies(given: object) -> tuple[Policy, ...]:
    """Policies as they are given, one or several, each once. Raises SweepError (field ``formats``)."""
    return tuple(dict.fromkeys(Policy.parse(each) for each in sequence("formats", given, "number formats")))
