"""``bench.probe``: a model of one's own, layer by layer."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import jax
import numpy as np
import pandas as pd

from bench.arithmetic.number import Extended
from bench.arithmetic.policy import Policy, policies
from bench.probing.activations import activations_of, signals_of
from bench.probing.formats import measure_formats
from bench.probing.gates import opened
from bench.probing.measure import Part, log10_norm, parts_of, rows_of
from bench.probing.model import Model, trace
from bench.probing.origins import Origin, origin_of
from bench.probing.report import Report
from bench.probing.slopes import Slope, slope_of
from bench.probing.thresholds import Thresholds
from bench.probing.verdicts import COMPARED, compared, judge, not_finite


def probe(
    loss: Callable[..., Any],
    params: Any,
    *args: Any,
    thresholds: Mapping[str, float] | None = None,
    nonlinear: str = "refuse",
    formats: Sequence[str | Policy] = (),
) -> Report:
    """The exact size of every gradient of a model of your own, what is wrong with it, and what usually mends it.

    ``loss(params, *args)`` returns one number. params: any pytree with arrays of floats, such as those of Flax, Equinox or
    Haiku; what it holds beside them stays as it is. args: arrays are data, anything else is passed on.

        report = bench.probe(loss, params, batch)
        print(report)
        report.table

    thresholds: from which numbers on a verdict is given, by name (:class:`bench.probing.thresholds.Thresholds`). Gradients
    are those of ``jax.grad``, in floats whose exponent never ends: neither clipped, nor lost, nor infinite. nonlinear: a
    ``custom_vjp`` whose backward pass is not linear in its cotangent (it clips, or takes signs) has no gradient and is
    refused by name, or with ``"evaluate"`` measured as it stands. formats: what these would make of the gradients, such as
    ``["float16", "float8_e4m3fn:gradients=float8_e5m2"]`` (:class:`bench.Policy`). Raises :class:`bench.SweepError` (a
    ValueError) for that, for parameters without floats, a loss that is not one number, and a format that is none.
    """
    settled, given = Thresholds.given(thresholds or {}), policies(formats) if formats else ()
    return measured(trace(loss, params, *args, nonlinear=nonlinear), settled, given)


def measured(model: Model, thresholds: Thresholds, given: Sequence[Policy] = ()) -> Report:
    """The report of a model that is traced, with what each of the policies that are given makes of its gradients."""
    value, gradients, sums = model.gradients()
    parts = parts_of(model)
    activations = activations_of(model, sums)
    table = rows_of(model, parts, gradients)
    table = pd.concat([table, signals_of(table, activations)], axis=1)
    reached = [model.uses.reaches(part.number) for part in parts]
    found = judge(table, reached, _gated(model, parts, table, reached, gradients), thresholds)
    table["verdict"], table["why"] = [each.verdict for each in found], [each.why for each in found]
    table["excess"] = [each.excess for each in found]
    size = log10_norm(np.atleast_1d(value.log10_abs()))
    origin = None
    if not not_finite(table["log10_weight"].to_numpy(float)).any():  # else it is where it all begins
        origin = _origin(model, bool(not_finite(table["log10_grad"].to_numpy(float)).any()))
    return Report(
        table=table,
        activations=activations.drop(columns="place"),
        loss=float(np.asarray(model.value(model.parameters.arrays, model.data, model.program.consts), np.float64)),
        log10_loss=size,
        slopes=_slopes(table),
        thresholds=thresholds,
        origin=origin,
        origin_path=None if origin is None else _used_before(origin, parts),
        in_formats=measure_formats(model, parts, table, gradients, given, thresholds.lost) if given else None,
    )


def _gated(
    model: Model, parts: list[Part], table: pd.DataFrame, reached: list[bool], gradients: list[Extended]
) -> list[bool]:
    """Which rows without a gradient get one as soon as gates are open."""
    zero = np.isneginf(table["log10_grad"].to_numpy(float)) & np.array(reached, bool)
    others = opened(model, gradients) if zero.any() else None
    if others is None:
        return [False] * len(parts)
    return (zero & np.isfinite(rows_of(model, parts, others)["log10_grad"].to_numpy(float))).tolist()


def _slopes(table: pd.DataFrame) -> dict[str, Slope]:
    rows = table.loc[compared(table)]
    return {word: slope_of(rows["layer"].to_numpy(), rows[name].to_numpy(float)) for name, (word, _) in COMPARED.items()}


def _origin(model: Model, gradients_are_not_finite: bool) -> Origin | None:
    """Where the forward pass leaves the range of its floats, or else the backward pass."""
    arguments = (model.parameters.arrays, model.data, model.program.consts)
    if not np.isfinite(np.asarray(model.value(*arguments), np.float64)):
        return origin_of(model.program, [*model.parameters.arrays, *model.data])
    if not gradients_are_not_finite:
        return None
    program = jax.make_jaxpr(jax.value_and_grad(model.loss))(*arguments)
    found = origin_of(program, jax.tree.leaves(arguments))
    return None if found is None else found._replace(place=())


def _used_before(origin: Origin, parts: list[Part]) -> str | None:
    """The last parameter that the forward pass has used until there."""
    used = [part.path for part in parts if part.use and part.use.place <= origin.place]
    return used[-1] if used else None
