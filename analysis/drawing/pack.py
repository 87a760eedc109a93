"""Many maps on one page: columns of activations, and several blocks of such columns where rows would not fit."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from analysis.drawing.panel import DEPTH_LABEL, SCALE_LABEL
from analysis.drawing.sheet import LINE, PAGE
from analysis.drawing.style import DOUBLE_COLUMN, SINGLE_COLUMN
from analysis.rows.select import Facet

ROW = 1.15 + 2 * LINE  # inches: the lowest row of maps, with its title
KEPT = 1.2  # inches of a page for labels and legend
MOST, USUAL = 6, (3, 4)  # columns: at most, and where these are enough
NARROW = 1.95  # inches of a page for a column, in which not all words of the depth's label have room


class Packed(NamedTuple):
    """Row and column of each map; which places are used, [rows, columns]; how many settings are shown, and there are."""

    places: dict[Facet, tuple[int, int]]
    used: np.ndarray
    shown: int
    settings: int

    @property
    def width(self) -> float:
        """Inches: up to six columns fit a page, more make it wider."""
        columns = self.used.shape[1]
        return SINGLE_COLUMN if columns == 1 else max(DOUBLE_COLUMN if columns > 2 else 5.2, 1.2 * columns)

    @property
    def labels(self) -> tuple[str, str]:
        """Of the x and the y axis, as long as a page has room for."""
        narrow = self.width / self.used.shape[1] < NARROW
        return DEPTH_LABEL.split(" (")[0] if narrow else DEPTH_LABEL, SCALE_LABEL

    @property
    def left_out(self) -> str:
        """The sentence that says so, where some settings have no place; else nothing."""
        return f"the first {self.shown} of {self.settings} settings" if self.shown < self.settings else ""


def pack(found: Iterable[Facet], row: float = ROW) -> Packed:
    """The places of these maps on a page; settings that it has no place for are left out.

    Where that is needed or there is one activation, several settings stand side by side, so that a page is filled. row:
    inches of the lowest row of maps that can still be read, with its title.
    """
    page = arrange(found)
    settings, activations = len(page.settings), len(page.activations)
    most = int((PAGE - KEPT) // row)
    beside = range(1, max(MOST // activations, 1) + 1)
    blocks = next((count for count in beside if math.ceil(settings / count) <= most), beside[-1])
    if activations == 1 and settings > 1:  # of the usual numbers of columns the one that leaves the fewest places empty
        usual = [settings] if settings < USUAL[0] else [count for count in USUAL if count >= blocks]
        blocks = min(usual or [blocks], key=lambda count: (-settings % count, -count))
    places = {
        facet: (setting // blocks, setting % blocks * activations + column)
        for setting, column, facet in page.places()
        if setting // blocks < most
    }
    used = np.zeros(np.max(list(places.values()), axis=0) + 1, dtype=bool)
    used[tuple(zip(*places.values(), strict=True))] = True
    return Packed(places, used, min(settings, most * blocks), settings)


class Page(NamedTuple):
    """A column for each activation; rows of facets by their activation."""

    activations: list[str]
    settings: list[dict[str, Facet]]

    def places(self) -> list[tuple[int, int, Facet]]:
        """Row, column and facet of every panel that is measured."""
        columns = [(column, activation) for column, activation in enumerate(self.activations)]
        return [(i, j, row[name]) for i, row in enumerate(self.settings) for j, name in columns if name in row]


def arrange(found: Iterable[Facet]) -> Page:
    """A column for each activation, a row for everything else that a facet tells apart: sorted by it, initializers last.

    Rows differ in the bias that was drawn; a scheme whose bias is another for each activation (critical) has one row if it
    has one bias for each.
    """
    known = list(dict.fromkeys(found))
    schemes: dict[Facet, list[Facet]] = {}
    for facet in known:
        schemes.setdefault(facet._replace(activation="", bias_std=0.0), []).append(facet)
    rows: dict[Facet, dict[str, Facet]] = {}
    for facets in schemes.values():
        # Where biases were asked for, one of the scheme's own is none of them, and no other's row is its place.
        several = len({facet.activation for facet in facets}) < len(facets)
        smallest = min(facet.bias_std for facet in facets)
        for facet in facets:
            row = facet._replace(activation="", bias_std=facet.bias_std if several else smallest)
            rows.setdefault(row, {})[facet.activation] = facet
    order = sorted(rows, key=lambda row: row._replace(initializer=""))
    return Page(list(dict.fromkeys(facet.activation for facet in known)), [rows[row] for row in order])
