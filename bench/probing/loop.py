"""A probe within a training loop: compiled once, and run at every so many steps."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import jax
import numpy as np

from bench.arithmetic.policy import Policy, policies
from bench.arithmetic.pullbacks import check_choice
from bench.probing.leaves import arrays_of, floats_of
from bench.probing.model import Model, trace
from bench.probing.probe import measured
from bench.probing.report import Report
from bench.probing.thresholds import Thresholds
from bench.settings.checks import LARGEST_COUNT, integer


class Probe:
    """:func:`bench.probe` within a loop: traced and compiled at the first call, and run at every ``every``-th step.

        probe = bench.Probe(loss, every=100)
        for step, batch in enumerate(batches):
            params, state = update(params, state, batch)
            if report := probe(step, params, batch):
                print(step, report.verdict, report.guilty)

    A call returns a :class:`Report`, or None at any other step. Parameters and arguments of the same tree, shapes and dtypes
    compile nothing again; anything else does. What the loss closes over stays as it was at the first call: what changes must
    be an argument. With ``formats`` each report also says what these make of the gradients (:func:`bench.probe`). Raises
    :class:`bench.SweepError` like ``probe``, and for an ``every`` that is no whole number ≥ 1.
    """

    def __init__(
        self,
        loss: Callable[..., Any],
        *,
        every: int = 1,
        thresholds: Mapping[str, float] | None = None,
        nonlinear: str = "refuse",
        formats: Sequence[str | Policy] = (),
    ) -> None:
        check_choice(nonlinear)
        self.loss, self.nonlinear = loss, nonlinear
        self.every = integer("every", every, at_least=1, at_most=LARGEST_COUNT)
        self.thresholds, self.formats = Thresholds.given(thresholds or {}), policies(formats) if formats else ()
        self._model: Model | None = None
        self._kind: Any = None

    def __call__(self, step: int, params: Any, *args: Any) -> Report | None:
        """The report of these parameters, if the step is a multiple of ``every``."""
        if int(step) % self.every:
            return None
        kind = _kind(params, args)
        if self._model is None or kind != self._kind:
            self._model, self._kind = trace(self.loss, params, *args, nonlinear=self.nonlinear), kind
        else:
            self._model = self._model.again(floats_of(params).arrays, arrays_of(args).arrays)
        return measured(self._model, self.thresholds, self.formats)


def _kind(params: Any, args: Any) -> tuple[Any, list[Any]]:
    """What a program is traced for: the tree, shapes and dtypes of arrays, and whatever else there is, as it is."""
    leaves, tree = jax.tree.flatten((params, args))
    return tree, [jax.typeof(leaf) if isinstance(leaf, jax.Array | np.ndarray) else leaf for leaf in leaves]
