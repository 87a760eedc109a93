"""What a probe found: a table, a verdict, and a text that begins with the layer to look at."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np
import pandas as pd

from bench.probing.advice import Advice, advice_for, sources_of
from bench.probing.formats import Formats
from bench.probing.formats_text import formats_text
from bench.probing.origins import Origin
from bench.probing.slopes import Slope
from bench.probing.thresholds import Thresholds
from bench.probing.verdicts import HEALTHY, NON_FINITE, STEP, VERDICTS

SHOWN = {
    "layer": "layer",
    "path": "path",
    "shape": "shape",
    "log10_grad": "gradient",
    "log10_grad_rms": "per entry",
    "log10_relative": "grad/weight",
    "log10_value_rms": "signal",
    "log10_cotangent": "cotangent",
    "verdict": "verdict",
}
MOST_ROWS = 60  # of a text


@dataclass(frozen=True)
class Report:
    """A model's gradients, layer by layer.

    table: a row for each parameter, in the order in which the forward pass uses them. activations: a row for each product of
    data, in program order, with the size of its value and of the cotangent that comes back to it. loss: as a float;
    log10_loss: at any size. slopes: decades per layer towards the output of gradient, cotangent and signal, with 95 %
    intervals. thresholds: what the verdicts were given by. origin: the equation in which the plain program leaves the range
    of its floats, if it does; origin_path: the parameter that it has used last before that. seeds: of how many draws these
    are medians. in_formats: what number formats make of it, if any were asked for.
    """

    table: pd.DataFrame
    activations: pd.DataFrame
    loss: float
    log10_loss: float
    slopes: dict[str, Slope]
    thresholds: Thresholds
    origin: Origin | None = None
    origin_path: str | None = None
    seeds: int = 1
    in_formats: Formats | None = None

    @property
    def formats(self) -> pd.DataFrame | None:
        """A row for each number format and parameter: what is lost of its gradient, and how far the rest is off."""
        return None if self.in_formats is None else self.in_formats.table

    @property
    def verdict(self) -> str:
        """The gravest of all rows', and of the program's."""
        if self.origin is not None:
            return NON_FINITE
        return min(self.table["verdict"], key=VERDICTS.index)

    @property
    def guilty(self) -> str | None:
        """The path of the layer to look at first; None where all are healthy."""
        if self.origin_path is not None:
            return self.origin_path
        rows = self.table.loc[(self.table["verdict"] == self.verdict).to_numpy()]
        if self.verdict == HEALTHY or rows.empty:
            return None
        return str(rows.loc[rows["excess"].idxmax(), "path"])

    def __str__(self) -> str:
        formats = [formats_text(self.in_formats, self.thresholds.lost), ""] if self.in_formats is not None else []
        return "\n".join([*self.headline(), "", self.as_text(), "", *formats, self._foot()])

    __repr__ = __str__

    def headline(self) -> list[str]:
        """What was found, the gravest first, each with what usually mends it."""
        lines = []
        for i, name in enumerate(self._verdicts()):
            lines.append(f"{name}: {self._found(name)}")
            lines += [f"  mends it: {each.text} [{each.source}]" for each in self._advice(name)[: 1 if i else None]]
        return [*lines, *filter(None, [self.trends()])]

    def _verdicts(self) -> list[str]:
        others = [name for name in VERDICTS if name != HEALTHY and name in set(self.table["verdict"])]
        return list(dict.fromkeys([self.verdict, *others]))

    def _advice(self, verdict: str) -> list[Advice]:
        rows = self.table.loc[(self.table["verdict"] == verdict).to_numpy()]
        recurrent = len(rows) > 0 and STEP in str(rows.loc[rows["excess"].idxmax(), "why"])
        return advice_for(verdict, recurrent=recurrent)

    def _found(self, verdict: str) -> str:
        if verdict == NON_FINITE and self.origin is not None:
            origin = self.origin
            step = "" if origin.step is None else f", step {origin.step} of its scan"
            after = f", after {self.origin_path}" if self.origin_path else ""
            return f"{origin.what} first in {origin.primitive} ({origin.dtype}) at {origin.source}{step}{after}"
        rows = self.table.loc[(self.table["verdict"] == verdict).to_numpy()]
        count = f"{len(rows)} of {len(self.table)} parameters"
        if verdict == HEALTHY:
            return f"all {count}" if len(rows) == len(self.table) else count
        worst = rows.loc[rows["excess"].idxmax()]
        others = ", ".join(rows["path"].drop(worst.name)[:2]) + (", …" if len(rows) > 3 else "")
        return f"{count}: {worst['path']} ({worst['why']})" + (f", {others}" if others else "")

    def trends(self) -> str:
        """Decades per layer, towards the output."""
        words = [
            f"{word} {slope.slope:+.3g} ({slope.low:+.3g} to {slope.high:+.3g})"
            for word, slope in self.slopes.items()
            if not np.isnan(slope.slope)
        ]
        return f"decades per layer, towards the output: {', '.join(words)}" if words else ""

    def as_text(self) -> str:
        """The table as it is printed: the guilty layer first, then the rest in the order of the forward pass."""
        table = self.table
        if self.guilty is not None:
            first = table["path"] == self.guilty
            table = pd.concat([table[first], table[~first]])
        left_out = f"\n… {len(table) - MOST_ROWS} more: report.table" if len(table) > MOST_ROWS else ""
        shown = table.loc[:, list(SHOWN)].rename(columns=SHOWN)[:MOST_ROWS]
        shown["shape"] = ["×".join(map(str, shape)) or "1" for shape in shown["shape"]]
        return shown.to_markdown(index=False, tablefmt="simple", floatfmt=".4g") + left_out

    def _foot(self) -> str:
        given = ", ".join(f"{name}={value:g}" for name, value in asdict(self.thresholds).items())
        sources = sources_of([each for name in self._verdicts() for each in self._advice(name)])
        read = f"\nSources: {'; '.join(sources)}" if sources else ""
        of = f"median of {self.seeds} seeds; " if self.seeds > 1 else ""
        return (
            f"{of}loss {self.loss:.6g} (log10 {self.log10_loss:.4g}). Sizes are log10; gradients are of the loss as it is, "
            f"neither clipped nor divided by a loss scale. Thresholds: {given}{read}"
        )
