"""A training: what is trained on what, as immutable data that checks itself."""

from __future__ import annotations

import math
from dataclasses import dataclass

from bench.runs.settings import Settings
from bench.settings.checks import integer, reals, sequence
from bench.settings.defaults import PLAIN
from bench.settings.errors import SweepError
from bench.training.specs import parse_schedule

MOST_STEPS = 10_000_000
TARGETS = ("accuracy", "loss")


@dataclass(frozen=True, kw_only=True)
class Training(Settings):
    """Every combination of its sequences and seeds is one cell: a network that is trained, and one row of results.

    Sequences, arrays, ranges and single values are stored as tuples, numbers sorted, each value once. Raises
    :class:`bench.SweepError` (a ValueError) for a value that cannot be used. The fields that a :class:`bench.Sweep` has too
    mean the same.

    task: ``digits``, ``teacher``, ``saxe``, ``noise``, with arguments (``saxe:values=4/2``), or an ``.npz`` file.
    initializers, activations, depths, scales, widths, bias_stds, seeds, key, dtype, precision: as of a sweep; widths are
    those of hidden layers, and the readout is never scaled.
    optimizers: optax's names, with arguments (``adamw:weight_decay=0.01``).
    learning_rates: each ≥ 0 and finite.
    readout_learning_rates: of the readout alone, each of them with each of ``learning_rates``; none: as the other layers.
    schedule: ``constant`` or ``warmup_cosine``, with arguments (``warmup_cosine:warmup=0.1,end=0``).
    clip: the global norm that gradients are clipped to; 0: no clipping.
    steps: of gradient descent, ≥ 1.
    batch: examples in a step; all of them where the task has no more.
    loss: ``cross_entropy`` of the labels, or ``mse``, ½ ‖y - target‖².
    target: ``accuracy=0.9`` or ``loss=0.1``: what counts as having learned.
    curves: also keep learning curves.
    architectures: what a block is, as of a sweep; others than ``plain`` have an input layer of their own beside their blocks
    (:mod:`bench.training.block_network`).
    length: positions that other blocks than ``plain`` see, each a piece of the input; it divides the task's inputs.
    """

    task: str = "digits"
    initializers: tuple[str, ...] = ("gaussian",)
    activations: tuple[str, ...] = ("tanh",)
    depths: tuple[int, ...] = (2, 8, 32)
    scales: tuple[float, ...] = (0.5, 1.0, 1.5)
    widths: tuple[int, ...] = (32,)
    bias_stds: tuple[float, ...] = (0.0,)
    optimizers: tuple[str, ...] = ("sgd",)
    learning_rates: tuple[float, ...] = (0.01, 0.1)
    readout_learning_rates: tuple[float, ...] = ()
    schedule: str = "constant"
    clip: float = 0.0
    steps: int = 200
    batch: int = 64
    loss: str = "cross_entropy"
    target: str = "accuracy=0.9"
    seeds: int = 1
    key: int = 0
    dtype: str = "float32"
    precision: str = "full"
    curves: bool = True
    architectures: tuple[str, ...] = (PLAIN,)
    length: int = 1

    def __post_init__(self) -> None:
        from bench.training.network import LOSSES  # these need JAX and NumPy, which help and ``list`` do without
        from bench.training.optimizers import each_once
        from bench.training.tasks import check_task

        self._settle_networks()
        self._settle("learning_rates", reals("learning_rates", self.learning_rates))
        none = isinstance(self.readout_learning_rates, (tuple, list)) and not self.readout_learning_rates
        rates = () if none else reals("readout_learning_rates", self.readout_learning_rates)
        self._settle("readout_learning_rates", rates)
        self._settle("optimizers", each_once(sequence("optimizers", self.optimizers, "optax's names")))
        self._settle("schedule", str(parse_schedule(self.schedule)))
        self._settle("clip", reals("clip", [self.clip])[0])
        self._settle("steps", integer("steps", self.steps, at_least=1, at_most=MOST_STEPS))
        self._settle_architectures()
        if not isinstance(self.loss, str) or self.loss not in LOSSES:
            raise SweepError("loss", self.loss, " or ".join(LOSSES))
        if not isinstance(self.curves, bool):
            raise SweepError("curves", self.curves, "True or False")
        self._settle("target", "=".join(map(str, _target(self.target))))
        self._settle("task", check_task(self.task))

    @property
    def target_value(self) -> tuple[str, float]:
        """The target as ("accuracy" or "loss", number)."""
        return _target(self.target)


def _target(text: object) -> tuple[str, float]:
    accepted = "accuracy=0.9 (above 0, at most 1) or loss=0.1 (above 0)"
    kind, _, number = text.partition("=") if isinstance(text, str) else ("", "", "")
    try:
        value = float(number)
    except ValueError:
        value = math.nan
    if kind not in TARGETS or not 0 < value < math.inf or (kind == "accuracy" and value > 1):
        raise SweepError("target", text, accepted)
    return kind, value
