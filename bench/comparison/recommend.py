"""Which initialization for one activation, depth and width: a quick measurement with theory beside it, ranked.

What a user gets is compared: networks whose gradient is exactly zero first, then how far gradients drift from constant
over the depth. It is signal propagation at initialization, not accuracy after training.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from types import MappingProxyType
from typing import NamedTuple

import pandas as pd

from bench.comparison.compare import compare, load_cells
from bench.comparison.notes import in_order
from bench.networks.schemes import setting_of
from bench.settings.checks import integer
from bench.settings.errors import SweepError
from bench.settings.ranges import logarithmic
from bench.sweeps.runner import run
from bench.sweeps.sweep import Sweep
from bench.theory import predict

# What frameworks do when one says nothing.
DEFAULTS: Mapping[str, str] = MappingProxyType(
    {
        "torch_linear": "PyTorch, Equinox",
        "flax_default": "Flax",
        "keras_glorot": "Keras",
        "truncated": "Haiku",
    }
)
SCHEMES = ("critical", "critical_orthogonal", "orthogonal", "he_normal", *DEFAULTS)
SEEDS = 12  # the fewest with which a scheme whose networks all die is told from the others, at 5 % for 14 schemes' pairs
LARGEST_DEPTH, LARGEST_WIDTH = 10_000, 2**20  # theory goes through every layer: some seconds
MEASURED_DEPTH, MEASURED_WIDTH = 300, 256
WORK = 64 * 256**3  # depth · width³ of what is measured: drawing orthogonal matrices takes most of the time


class Case(NamedTuple):
    """What is asked for, and what is measured for it where that would take too long."""

    activation: str
    depth: int
    width: int
    measured_depth: int
    measured_width: int

    @property
    def is_smaller(self) -> bool:
        """Whether less is measured than what is asked for."""
        return (self.measured_depth, self.measured_width) != (self.depth, self.width)


def case_of(activation: str, depth: int, width: int) -> Case:
    """The case, with a measurement of some seconds. Raises SweepError."""
    integer("depth", depth, at_least=3, at_most=LARGEST_DEPTH)
    integer("width", width, at_least=1, at_most=LARGEST_WIDTH)
    measured_depth = min(depth, MEASURED_DEPTH)
    affordable = int(math.cbrt(WORK / measured_depth))
    return Case(activation, depth, width, measured_depth, min(width, MEASURED_WIDTH, affordable))


def recommend(case: Case, *, further: Sequence[str] = (), seeds: int = SEEDS, progress: bool = True) -> pd.DataFrame:
    """The rows of :func:`bench.comparison.compare.compare` for the case, best first; ``further`` schemes are ranked too.

    ``predicted`` is theory's slope at the depth and width that are asked for. Nothing is written outside a temporary
    folder. Raises SweepError.
    """
    schemes = tuple(dict.fromkeys((*SCHEMES, *further)))
    depths = (2, *logarithmic(2, case.measured_depth, 12))
    try:
        sweep = Sweep(
            initializers=schemes,
            activations=(case.activation,),
            depths=depths,
            scales=(1.0,),
            widths=(case.measured_width,),
            seeds=seeds,
            layers=False,
        )
    except SweepError as error:
        if error.field == "activations":
            raise SweepError("activation", case.activation, error.accepted) from error
        raise
    with TemporaryDirectory(prefix="depthscale-") as folder:
        cells = load_cells(Path(run(sweep, results=folder, name="recommend", progress=progress)))
    table = compare(cells)
    table["predicted"] = [_predicted(name, case) for name in table["initializer"]]
    return in_order(table).reset_index(drop=True)


def _predicted(initializer: str, case: Case) -> float:
    """Theory's slope for the case as it is asked for; NaN where there is none."""
    setting = setting_of(initializer, case.activation, case.width, 0.0)
    if math.isnan(setting.gain):
        return math.nan
    cell = {"initializer": initializer, "activation": case.activation, "width": case.width, "depth": case.depth}
    return predict(**cell, scale=1.0, bias_std=setting.bias_std).log10_grad_slope.mean
