"""What formats do to a model, as one reads it: what each loses, where first, and what to do about it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from bench.arithmetic.loss_scale import LEAST, MOST
from bench.arithmetic.policy import Policy
from bench.probing.formats import Formats, InFormat
from bench.probing.measure import percent

MOST_ROWS = 40
WORDS = {"to zero": "share_zero", "subnormal": "share_subnormal", "too large": "share_overflow"}
SCALABLE = 0.9  # of what is lost, the share that a loss scale must save to be advised


def formats_text(formats: Formats, lost: float) -> str:
    """A line a policy, what to do about each, and a line a parameter. lost: the share of entries that counts as harm."""
    names = labels([found.policy for found in formats.found])
    told = [f"{names[found.policy]}: {line}" for found in formats.found for line in advice(formats.table, found, lost)]
    head = "Number formats: the whole step computed in each, beside the exact gradients"
    return "\n\n".join([f"{head}.", _summary(formats, names), "\n".join(told), _by_parameter(formats.table, names, lost)])


def labels(policies: Sequence[Policy]) -> dict[Policy, str]:
    """What each is called in a table: its format, with a number where it has arguments."""
    return {
        policy: f"{policy.activations} ({i})" if ":" in str(policy) else str(policy) for i, policy in enumerate(policies, 1)
    }


def _summary(formats: Formats, names: Mapping[Policy, str]) -> str:
    rows = []
    for found in formats.found:
        table = _of(formats.table, found)
        angles = table["angle"].to_numpy(float)
        rows.append(
            {
                "format": names[found.policy],
                "loss": f"{found.loss:.6g}",
                "loss scale": power(found.loss_scale),
                **{word: percent(weighted(table, name)) for word, name in WORDS.items()},
                "worst norm": _signed(table["norm_error"].to_numpy(float)),
                "worst angle": "–" if np.isnan(angles).all() else f"{np.nanmax(angles):.3g}°",
            }
        )
    written = [f"{name}: {policy}" for policy, name in names.items() if name != str(policy)]
    return "\n".join([_table(rows), *([""] if written else []), *written])


def _table(rows: Any) -> str:
    return str(pd.DataFrame(rows).to_markdown(index=False, tablefmt="simple", disable_numparse=True))


def advice(table: pd.DataFrame, found: InFormat, lost: float) -> Iterator[str]:
    """What first goes wrong under a policy, and which loss scale saves most."""
    firsts = found.firsts
    if firsts.beyond is not None:
        yield f"first too large: {firsts.beyond}"
    for first in (firsts.lost_forward, firsts.lost_backward):
        if first is not None:
            yield f"first to lose more than {percent(lost)}: {first}"
    own = _of(table, found)
    share = weighted(own, "share_zero") + weighted(own, "share_overflow")
    scales = found.scales
    if scales is None:
        yield "no loss scale helps: at every one a gradient is not finite, so the forward pass is what to mend"
    elif share <= lost:
        least, most = ("" if end in (LEAST, MOST) else f"2^{end}" for end in (scales.low, scales.high))
        room = " ".join(filter(None, [least and f"from {least}", most and f"up to {most}"])) or "that were tried"
        among = 2.0**scales.low <= found.loss_scale <= 2.0**scales.high
        less = f"as do those {room}" if among else f"those {room} lose {percent(scales.lost)}"
        yield f"its loss scale of {power(found.loss_scale)} serves: it loses {percent(share)}, {less}"
    elif scales.lost > (1 - SCALABLE) * share:
        yield f"no loss scale helps: {percent(scales.lost)} of the entries are lost at the best, 2^{scales.high}"
    else:
        yield (
            f"multiply the loss by 2^{scales.middle}, and divide the gradients by it in float32: 2^{scales.low} to "
            f"2^{scales.high} lose {percent(scales.lost)}, found by trying"
        )


def _by_parameter(table: pd.DataFrame, names: Mapping[Policy, str], lost: float) -> str:
    """A column for each policy: what is lost where that is much, else the angle."""
    rows = zip(table["share_overflow"], table["share_zero"], table["angle"], strict=True)
    cells = [_cell(beyond, zero, angle, lost) for beyond, zero, angle in rows]
    called = {str(policy): name for policy, name in names.items()}
    wide = table.assign(cell=cells, format=[called[name] for name in table["format"]]).pivot_table(
        index=["layer", "path"], columns="format", values="cell", aggfunc="first", sort=False
    )
    shown = wide.reset_index()[:MOST_ROWS]
    left_out = f"\n… {len(wide) - MOST_ROWS} more: report.formats" if len(wide) > MOST_ROWS else ""
    return _table(shown) + left_out


def _cell(beyond: float, zero: float, angle: float, lost: float) -> str:
    if beyond > 0:
        return f"{percent(beyond)} too large"
    if zero > lost:
        return f"{percent(zero)} lost"
    return "–" if np.isnan(angle) else f"{angle:.3g}°"


def _of(table: pd.DataFrame, found: InFormat) -> pd.DataFrame:
    return table.loc[(table["format"] == str(found.policy)).to_numpy()]


def weighted(table: pd.DataFrame, name: str) -> float:
    """A share of all entries of all parameters together."""
    entries = table["entries"].to_numpy(float)
    return float(np.average(table[name].to_numpy(float), weights=entries)) if entries.sum() else 0.0


def power(scale: float) -> str:
    """A loss scale, as a power of two where it is one."""
    mantissa, exponent = np.frexp(scale)
    return f"2^{exponent - 1}" if mantissa == 0.5 and exponent != 1 else f"{scale:g}"


def _signed(errors: np.ndarray) -> str:
    """The error that is farthest from none, in percent."""
    if np.isnan(errors).all():
        return "–"
    return f"{100 * errors[np.nanargmax(np.abs(errors))]:+.3g} %"
