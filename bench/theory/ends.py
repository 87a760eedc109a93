"""What exact laws of blocks are of: the first block's gradient at both ends of a slope, depth L and depth 2."""

from __future__ import annotations

import math
from typing import NamedTuple

from bench.theory.block import Setting
from bench.theory.steps import Moments


class Ends(NamedTuple):
    """Laws of ln ‖∂y/∂W_1‖² over seeds."""

    long: Moments  # at depth L
    short: Moments  # at depth 2
    shared: float  # their covariance in one seed, NaN where it is not known; without a meaning at L = 2
    alive: float = 1.0  # the probability that it is not 0 at depth L
    exact: bool = True  # whether ``shared`` is; else it is to leading order in 1/n


class Case(NamedTuple):
    """What such a law depends on."""

    setting: Setting
    kind: str  # of matrices, as in bench.theory.ensembles
    biased: bool
    delta: bool  # whether kernels are 0 beside their middle

    @property
    def both(self) -> tuple[Setting, Setting]:
        """At depth L and at depth 2."""
        return self.setting, self.setting._replace(depth=2)

    @property
    def log_input(self) -> float:
        """Ln ‖h_0‖²."""
        return math.log(self.setting.width) + 2 * math.log(self.setting.input_norm)
