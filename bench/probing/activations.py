"""A row for every product of the forward pass: the size of its value, and of the cotangent that comes back to it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import product as every
from typing import Any

import numpy as np
import pandas as pd

from bench.arithmetic.number import Extended
from bench.probing.leaves import name_of
from bench.probing.model import Model
from bench.probing.slopes import slope_of
from bench.probing.uses import Place, Product

SIZES = ("log10_value_rms", "log10_cotangent", "log10_cotangent_rms")
SHARES = ("zeros", "lost", "too_large")  # of the cotangent's entries
COLUMNS = ("order", "path", "step", "primitive", "shape", *SIZES, *SHARES, "source", "place")
SIGNALS = ("log10_value_rms", "log10_cotangent", "per_step", "steps", "lost_cotangent", "too_large_cotangent")


def activations_of(model: Model, measured: Mapping[Place, tuple[Extended, ...]]) -> pd.DataFrame:
    """In program order; what a scan does is a row for each of its steps."""
    found = [row for place, product in model.uses.products.items() for row in _rows(model, place, product, measured[place])]
    found.sort(key=lambda row: row["place"])
    return pd.DataFrame([{"order": i + 1} | row for i, row in enumerate(found)], columns=list(COLUMNS))


def _rows(model: Model, place: Place, product: Product, sums: tuple[Extended, ...]) -> Iterator[dict[str, Any]]:
    value, cotangent = (np.asarray(each.log10_abs()) / 2 for each in sums[:2])
    counts = [10 ** np.asarray(each.log10_abs()) for each in sums[2:]]
    counts += [np.zeros_like(counts[0])] * (len(SHARES) - len(counts))
    entries = max(int(np.prod(product.shape)), 1)
    for steps in every(*(range(scan.length) for scan in product.scans)):
        at = list(place)
        for scan, step in zip(product.scans, steps, strict=True):
            at[scan.digit] = scan.length - 1 - step if scan.reverse else step
        yield {
            "place": tuple(at),
            "path": " ".join(_name(model, i, steps) for i in product.parameters),
            "step": ".".join(map(str, steps)),
            "primitive": product.primitive,
            "shape": product.shape,
            "log10_value_rms": float(value[steps]) - np.log10(entries) / 2,
            "log10_cotangent": float(cotangent[steps]),
            "log10_cotangent_rms": float(cotangent[steps]) - np.log10(entries) / 2,
            **{name: float(count[steps]) / entries for name, count in zip(SHARES, counts, strict=True)},
            "source": product.source,
        }


def _name(model: Model, parameter: int, steps: tuple[int, ...]) -> str:
    """The weights in a product; of those that a scan reads, the ones of that step."""
    name = name_of(model.parameters.paths[parameter])
    return f"{name}[{steps[0]}]" if steps and parameter in model.uses.stacked else name


def signals_of(table: pd.DataFrame, activations: pd.DataFrame) -> pd.DataFrame:
    """For each row of the parameters: the signal that its product makes, and what comes back to it.

    Of weights that every step of a scan uses: the last step's, how many steps there are, and by how many decades a step the
    cotangent grows from one to the next. NaN for what is in no product.
    """
    rows = []
    found = {path: group for path, group in activations.groupby("path", sort=False) if path}
    for path in table["path"]:
        group = found.get(path)
        if group is None:
            rows.append((np.nan, np.nan, np.nan, 0, 0.0, 0.0))
            continue
        last, steps = group.iloc[-1 if group["step"].iloc[0] else 0], len(group["step"].unique())
        trend = slope_of(np.arange(len(group)), group["log10_cotangent"].to_numpy(float)).slope if steps > 1 else np.nan
        shares = group["lost"].mean(), group["too_large"].mean()
        rows.append((last["log10_value_rms"], last["log10_cotangent"], trend, steps, *shares))
    return pd.DataFrame(rows, columns=list(SIGNALS))
