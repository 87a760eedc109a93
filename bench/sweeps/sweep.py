"""A sweep: what is measured, as immutable data that checks itself."""

from __future__ import annotations

import math
from dataclasses import dataclass

from bench.runs.settings import Settings
from bench.settings.checks import reals
from bench.settings.defaults import PLAIN
from bench.settings.errors import SweepError

OF_BLOCKS = "with a batch of 2 their rows have the cosine of two inputs"  # instead of correlations
CLOSEST = 1e-12  # 1 - c of two vectors of float32, of which rounding is then a few per cent


@dataclass(frozen=True, kw_only=True)
class Sweep(Settings):
    """Every combination of its fields is one cell: a network, and one row of results.

    Sequences, arrays, ranges and single values are stored as tuples, numbers sorted, each value once. Raises
    :class:`SweepError` (a ValueError) for a value that cannot be measured.

    initializers: names (``python -m bench list``), ``package.module:attribute`` of any ``init(key, shape, dtype)``, or such
    a callable itself, which is stored under a name (:mod:`bench.settings.callables`).
    activations: likewise; any function on arrays.
    depths: numbers L of weight matrices, the readout included; each ≥ 2.
    scales: factors on the drawn weights; each ≥ 0 and finite.
    widths: n ≥ 1, of every hidden layer and the input.
    bias_stds: standard deviations of the biases; each ≥ 0 and finite; 0 is no bias, or the scheme's own where it has one.
    input_norms: lengths of the input, in units of √n; each > 0 and finite. Inputs of a seed differ in it alone; schemes that
    are normalized on data (``lsuv``) see theirs at norm √n.
    seeds: how many independent networks, ≥ 1.
    key: the root of all randomness, 0 to 2^32 - 1.
    loss: "output" (the output y itself) or "mse" ((y - 1)² / 2).
    dtype: "float32" or "float64", of all arithmetic.
    precision: what the products of float32 matrices multiply, where the device can: "full", or the bits of "tf32" (10 of the
    mantissa) or "bfloat16" (7); what is summed up, drawn and passed on stays float32.
    layers: also keep one row for each layer of each cell.
    architectures: what a block is, by names with arguments (``residual:alpha=0.5``), or ``package.module:block``.
    batch, length: how many examples, and positions of each, a block of another architecture than ``plain`` sees.
    correlations: c, each -1 … 1, none by default: for each also keep one row for each cell, of what the network makes of its
    input x and of a second one as long, at the angle arccos c to it. In float32, 1e-12 or more from ±1, or ±1 itself.
    """

    initializers: tuple[str, ...] = ("gaussian",)
    activations: tuple[str, ...] = ("tanh",)
    depths: tuple[int, ...] = (2, 4, 8, 16, 32, 64)
    scales: tuple[float, ...] = (0.5, 1.0, 1.5)
    widths: tuple[int, ...] = (64,)
    bias_stds: tuple[float, ...] = (0.0,)
    input_norms: tuple[float, ...] = (1.0,)
    seeds: int = 4
    key: int = 0
    loss: str = "output"
    dtype: str = "float32"
    precision: str = "full"
    layers: bool = True
    correlations: tuple[float, ...] = ()
    architectures: tuple[str, ...] = ("plain",)
    batch: int = 1
    length: int = 1

    def __post_init__(self) -> None:
        from bench.networks.losses import LOSSES

        self._settle_networks()
        self._settle("input_norms", self._norms())
        self._settle("correlations", self._checked_correlations())
        self._settle_architectures()
        if not isinstance(self.loss, str) or self.loss not in LOSSES:
            raise SweepError("loss", self.loss, " or ".join(LOSSES))
        if not isinstance(self.layers, bool):
            raise SweepError("layers", self.layers, "True or False")

    def _settle_architectures(self) -> None:
        super()._settle_architectures()
        if self.architectures != (PLAIN,) and self.correlations:
            raise SweepError("correlations", self.correlations[0], f"none where architectures are not {PLAIN}: {OF_BLOCKS}")

    def _norms(self) -> tuple[float, ...]:
        return reals("input_norms", self.input_norms, accepted="finite numbers above 0", fits=lambda norm: norm > 0)

    def _checked_correlations(self) -> tuple[float, ...]:
        if isinstance(self.correlations, (tuple, list)) and not self.correlations:
            return ()
        accepted = "numbers from -1 to 1"
        found = reals("correlations", self.correlations, accepted=accepted, fits=lambda value: -1 <= value <= 1)
        between = [value for value in found if abs(value) < 1]
        if between and 1 in self.widths:
            raise SweepError("correlations", between[0], "-1 or 1 where a width is 1")
        lost = [value for value in between if 1 - abs(value) < 0.999 * CLOSEST]  # 1 - c is rounded too
        if lost and self.dtype == "float32":
            accepted = f"-1 or 1, or numbers at least {CLOSEST:g} from them (closer ones need dtype float64)"
            raise SweepError("correlations", lost[0], accepted)
        return found

    @property
    def cells(self) -> int:
        """How many rows the sweep has; fewer where an initializer makes one bias_std of several."""
        networks = (self.initializers, self.activations, self.widths, self.bias_stds)
        axes = (*networks, self.architectures, self.input_norms, self.depths, self.scales)
        return math.prod(map(len, axes)) * self.seeds
