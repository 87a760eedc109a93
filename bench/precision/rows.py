"""From what was seen of networks in number formats to rows: one for each cell and format, and one for each of its layers."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from bench.precision.ends import Ends, ends_of
from bench.precision.losses import Seen
from bench.precision.measure import Found
from bench.precision.precision import Precision
from bench.sweeps.plan import Chunk, lanes_in
from bench.sweeps.rows import ENTRIES, Table, cell_columns, repeated

LAYER_VALUES = ("share_zero", "share_subnormal", "share_overflow", "norm_error", "angle")
EXACT = ("log10_grad_first", *ENTRIES)  # of the cell
PLACES = ("nowhere", "activation", "output", "cotangent", "gradient")
LOG10_2 = float(np.log10(2.0))


def tables(precision: Precision, chunk: Chunk, found: Iterable[Found], swept: Table) -> dict[str, Table]:
    """The rows of a chunk, ordered as cells, and then by format (and layer). swept: the rows of its cells."""
    seeds, lanes, formats = chunk.seeds[1] - chunk.seeds[0], chunk.lanes[1] - chunk.lanes[0], len(precision.formats)
    own = ("output_overflow", "wrong_place", "wrong_layer", "log2_loss_scale", "log10_activation_largest")
    names = (*(f"{name}_first" for name in LAYER_VALUES), *own)
    cells = {name: np.full((len(precision.depths), lanes, seeds, formats), np.nan) for name in names}
    layers = {depth: np.full((len(LAYER_VALUES), lanes, seeds, formats, depth - 1), np.nan) for depth in precision.depths}
    scale = np.log2(precision.loss_scale)
    ends = [ends_of(name, precision.dtype) for name in precision.formats]
    for each in found:
        values = layer_values(each.seen, scale)
        layers[each.depth][:, each.lanes, each.seeds, each.format] = values.swapaxes(1, 2)
        wrong = first_wrong(each.seen, each.output_lost)
        of_cell = [*values[..., 0], each.output_lost, *wrong, best_scale(each.seen, ends[each.format])]
        of_cell.append(LOG10_2 * each.seen.log2_activation.max(axis=-1))
        for name, value in zip(names, of_cell, strict=True):
            cells[name][precision.depths.index(each.depth), each.lanes, each.seeds, each.format] = value.T
    undefined = np.isnan([lane.engine_scale for lane in lanes_in(precision, chunk)])
    for values in cells.values():
        values[:, undefined] = np.nan
    for values in layers.values():
        values[:, undefined] = np.nan
    columns = cell_columns(precision, chunk)
    keys = repeated(columns, np.full(len(columns["depth"]), formats))
    which = np.tile(np.arange(formats, dtype=np.int16), len(columns["depth"]))
    keys |= {"format": (precision.formats, which), "loss_scale": np.full(len(which), precision.loss_scale)}
    exact = {name: np.repeat(swept[name], formats) for name in EXACT}
    place = np.nan_to_num(cells.pop("wrong_place").ravel()).astype(np.int16)
    rows = keys | exact | {name: values.ravel() for name, values in cells.items()} | {"wrong_place": (PLACES, place)}
    rows |= {f"log10_{name}": LOG10_2 * np.array([getattr(end, name) for end in ends])[which] for name in Ends._fields}
    if not precision.layers:
        return {"formats": rows}
    depths = np.asarray(keys["depth"])
    of_layers = repeated(keys, depths - 1)
    of_layers["layer"] = np.concatenate([np.tile(np.arange(1, d), int(np.sum(depths == d))) for d in precision.depths])
    for number, name in enumerate(LAYER_VALUES):
        of_layers[name] = np.concatenate([layers[depth][number].ravel() for depth in precision.depths])
    return {"formats": rows, "format_layers": of_layers}


def layer_values(seen: Seen, log2_loss_scale: float) -> np.ndarray:
    """The fields of :data:`LAYER_VALUES` of every layer, [fields, …]; the angle is in degrees."""
    with np.errstate(divide="ignore", invalid="ignore"):  # NaN is data: the shares of nothing, and the angle of a zero
        width_squared = np.maximum(seen.every, 1)
        log2_ratio = np.log2(seen.norm) - np.log2(seen.exact_norm) + (seen.norm_exponent - seen.exact_exponent)
        angle = np.degrees(2 * np.arcsin(np.minimum(seen.apart / 2, 1)))
        with np.errstate(over="ignore"):
            error = np.exp2(log2_ratio - log2_loss_scale) - 1
        return np.stack(
            [seen.flushed / seen.entries, seen.subnormal / seen.entries, seen.overflowed / width_squared, error, angle]
        )


def first_wrong(seen: Seen, output_lost: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(the number of the place in :data:`PLACES`, the layer) where a network's values first go wrong; 0 and 0 for nowhere.

    In the order of the program: h_1 … h_{L-1}, y, then δ_l and ∂loss/∂W_l from L-1 down to 1. A place is wrong where half of
    its numbers that are not exactly zero are zero in the format, or one overflows.
    """
    count = seen.flushed.shape[-1]
    gradient = (2 * seen.flushed >= np.maximum(seen.entries, 1)) | (seen.overflowed > 0)
    back = np.stack([seen.delta_lost > 0, gradient], axis=-1)[..., ::-1, :]
    order = [seen.hidden_lost > 0, output_lost[..., None], back.reshape(*back.shape[:-2], -1)]
    wrong = np.concatenate(order, axis=-1)
    numbers = np.arange(1, count + 1)
    places = np.concatenate([np.full(count, 1), [2], np.tile([3, 4], count)])
    layers = np.concatenate([numbers, [count + 1], np.repeat(numbers[::-1], 2)])
    first, any_wrong = wrong.argmax(axis=-1), wrong.any(axis=-1)
    return np.where(any_wrong, places[first], 0), np.where(any_wrong, layers[first], 0)


def best_scale(seen: Seen, ends: Ends) -> np.ndarray:
    """log2 of the constant loss scale that would save most, told by the exact numbers.

    That is the power of two nearest to 1 at which no cotangent and no entry of a gradient is rounded to zero; where that
    would make one overflow, or 1 does, the largest at which none overflows.
    """
    keeps_all = np.floor(ends.zero - seen.log2_least.min(axis=-1)) + 1
    most = np.floor(ends.largest - seen.log2_largest.max(axis=-1))
    with np.errstate(invalid="ignore"):
        found = np.minimum(np.maximum(keeps_all, 0), most)
    return np.where(np.isfinite(found), found, np.nan)
