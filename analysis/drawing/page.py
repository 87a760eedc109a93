"""Which place on a page each panel of a run has."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from analysis.drawing.panel import DEPTH_LABEL, SCALE_LABEL, arrange
from analysis.drawing.sheet import PAGE
from analysis.drawing.style import DOUBLE_COLUMN, SINGLE_COLUMN
from analysis.rows.select import Facet

LOWEST_ROW = 0.65  # inches of a row of panels and its title
LEGEND = 1.5  # inches that panels leave to it on a full page
MOST_BESIDE, USUAL = 6, (2, 3, 4)  # columns: at most, and where these are enough
NARROW = 1.95  # inches of page for a column; there is no room for all words of a label
SHORT_DEPTH_LABEL = "depth $L$"


class Layout(NamedTuple):
    """Row and column of each panel, and how many settings (rows of activations) are shown, of how many."""

    places: dict[Facet, tuple[int, int]]
    shown: int
    settings: int

    @property
    def used(self) -> np.ndarray:
        """[rows, columns]: which places have a panel."""
        used = np.zeros(np.max(list(self.places.values()), axis=0) + 1, dtype=bool)
        used[tuple(zip(*self.places.values(), strict=True))] = True
        return used

    @property
    def width(self) -> float:
        """Inches: up to six columns fit a page, more make it wider."""
        columns = self.used.shape[1]
        return SINGLE_COLUMN if columns == 1 else max(DOUBLE_COLUMN if columns > 2 else 5.2, 1.2 * columns)

    @property
    def labels(self) -> tuple[str, str]:
        """Of the x and the y axis, as long as there is room for."""
        narrow = self.width / self.used.shape[1] < NARROW
        return SHORT_DEPTH_LABEL if narrow else DEPTH_LABEL, SCALE_LABEL

    @property
    def left_out(self) -> str:
        """The sentence that says so, where some settings have no room; else nothing."""
        return f"the first {self.shown} of {self.settings} settings" if self.shown < self.settings else ""


def lay_out(found: Iterable[Facet], lowest_row: float = LOWEST_ROW) -> Layout:
    """A column for each activation, a row for each setting, as many as fit on a page.

    Where that is needed or there is one activation, several settings stand side by side. lowest_row: inches.
    """
    page = arrange(found)
    settings, activations = len(page.settings), len(page.activations)
    most = int((PAGE - LEGEND) // lowest_row)
    beside = range(1, max(MOST_BESIDE // activations, 1) + 1)
    blocks = next((count for count in beside if math.ceil(settings / count) <= most), beside[-1])
    if activations == 1 and settings > 3:  # of the usual numbers of columns the one that leaves the fewest places empty
        usual = [count for count in USUAL if count >= blocks and (count > 2 or settings <= 8)]
        blocks = min(usual or [blocks], key=lambda count: (-settings % count, count))
    places = {
        facet: (setting // blocks, setting % blocks * activations + column)
        for setting, column, facet in page.places()
        if setting // blocks < most
    }
    return Layout(places, min(settings, most * blocks), settings)
