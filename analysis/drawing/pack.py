"""Many maps on one page: columns of activations, and several blocks of such columns where rows would not fit."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from analysis.drawing.panel import arrange
from analysis.drawing.sheet import LINE, PAGE
from analysis.rows.select import Facet

ROW = 1.15 + 2 * LINE  # inches: the lowest row of maps, with its title
KEPT = 1.2  # inches of a page for labels and legend
MOST, USUAL = 6, (3, 4)  # columns: at most, and where these are enough


class Packed(NamedTuple):
    """Row and column of each map; which places are used, [rows, columns]; how many settings are shown, and there are."""

    places: dict[Facet, tuple[int, int]]
    used: np.ndarray
    shown: int
    settings: int


def pack(found: Iterable[Facet]) -> Packed:
    """The places of these maps on a page; settings that it has no place for are left out.

    Where that is needed or there is one activation, several settings stand side by side, so that a page is filled.
    """
    known = list(found)
    page = arrange(known)
    settings, activations = len(page.settings), len(page.activations)
    most = int((PAGE - KEPT) // ROW)
    beside = range(1, max(MOST // activations, 1) + 1)
    blocks = next((count for count in beside if math.ceil(settings / count) <= most), beside[-1])
    if activations == 1 and settings > 1:  # of the usual numbers of columns the one that leaves the fewest places empty
        usual = [settings] if settings < USUAL[0] else [count for count in USUAL if count >= blocks]
        blocks = min(usual or [blocks], key=lambda count: (-settings % count, -count))
    places = {
        facet: (setting // blocks, setting % blocks * activations + column)
        for setting, column, facet in page.places()
        if facet in known and setting // blocks < most
    }
    used = np.zeros(np.max(list(places.values()), axis=0) + 1, dtype=bool)
    used[tuple(zip(*places.values(), strict=True))] = True
    return Packed(places, used, min(settings, most * blocks), settings)
