"""The verdicts as a table: on a terminal, and as Markdown, CSV and LaTeX."""

from __future__ import annotations

import math
import textwrap
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pandas as pd
from tabulate import tabulate

from analysis.drawing.labels import counted
from analysis.papers.claim import VERDICTS

HEADINGS = ("paper", "claim", "published", "ours", "theory", "verdict")
WIDTHS = (14, 44, 22, 22, 8, 12)  # characters of the terminal's columns
MARKDOWN = str.maketrans({name: f"\\{name}" for name in "|`*[]_\\"} | {"<": "&lt;", "\n": " "})
LATEX = str.maketrans(
    {name: f"\\{name}" for name in "_&%$#{}"}
    | {"\\": r"\textbackslash{}", "^": r"\textasciicircum{}", "~": r"\textasciitilde{}", "\n": " "}
)


def number(value: float) -> str:
    """To three digits; nothing for NaN."""
    return "" if math.isnan(value) else f"{value:.3g}"


def ours(row: Mapping[str, Any]) -> str:
    """The number and its interval, as half its width where it is symmetric to the digits shown."""
    value, low, high = (float(row[name]) for name in ("ours", "low", "high"))
    if math.isnan(value):
        return ""
    if low == high:  # exact
        return f"{value:.6g}"
    if math.isfinite(high - low) and abs((high + low) / 2 - value) < 0.01 * (high - low):
        return f"{number(value)} ± {(high - low) / 2:.2g}"
    return f"{number(value)} ({number(low)} to {number(high)})"


def rows_of(papers: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """One row a claim, with its paper's reference."""
    return [
        {"paper": paper["name"], "year": paper["year"], "size": paper["size"]} | row
        for paper in papers
        for row in paper["claims"]
    ]


def cells(row: Mapping[str, Any]) -> list[str]:
    """What stands in the columns of :data:`HEADINGS`."""
    published = f"{row['published']} ({row['where']}; {row['sure']})"
    claim = f"{row['claim']} [{row['quantity']}]" if row["quantity"] else row["claim"]
    words = f"{row['verdict']}: {row['because']}" if row["because"] else row["verdict"]
    return [row["paper"], claim, published, ours(row), number(row["theory"]), words]


def summary(rows: Sequence[Mapping[str, Any]]) -> str:
    """How many claims have which verdict, and the names of those that differ."""
    counts = Counter(row["verdict"] for row in rows)
    words = ", ".join(f"{counts[each]} {each}" for each in VERDICTS if counts[each])
    papers = counted(len({row["paper"] for row in rows}), "paper")
    differing = ", ".join(f"{row['paper']} ({row['name']})" for row in rows if row["verdict"] == "differs")
    return f"{counted(len(rows), 'claim')} of {papers}: {words}{f'. Differing: {differing}' if differing else ''}."


def as_text(rows: Sequence[Mapping[str, Any]]) -> str:
    """For a terminal."""
    body = []
    for row in rows:
        shown = cells(row)
        shown[-1] = row["verdict"]
        body.append(["\n".join(textwrap.wrap(text, width)) for text, width in zip(shown, WIDTHS, strict=True)])
    return tabulate(body, HEADINGS, "simple", disable_numparse=True) + f"\n\n{summary(rows)}"


def as_markdown(rows: Sequence[Mapping[str, Any]]) -> str:
    """A table that web pages show."""
    body = [[text.translate(MARKDOWN) for text in cells(row)] for row in rows]
    return f"{summary(rows)}\n\n{tabulate(body, HEADINGS, 'github', disable_numparse=True)}\n"


def as_latex(rows: Sequence[Mapping[str, Any]]) -> str:
    r"""A table for ``\usepackage{booktabs}`` and ``\usepackage{longtable}``, with an engine that reads Unicode."""
    lines = [" & ".join(text.translate(LATEX) for text in cells(row)) + r" \\" for row in rows]
    columns = r"l p{0.3\linewidth} p{0.18\linewidth} l l p{0.2\linewidth}"
    head = f"{' & '.join(HEADINGS)} \\\\"
    return "\n".join(
        [
            r"% Needs \usepackage{booktabs} and \usepackage{longtable}, and LuaLaTeX or XeLaTeX for its characters.",
            rf"\begin{{longtable}}{{{columns}}}",
            *(r"\toprule", head, r"\midrule", *lines, r"\bottomrule"),
            r"\end{longtable}",
            "",
        ]
    )


def as_csv(rows: Sequence[Mapping[str, Any]]) -> str:
    """Every number and word of every claim."""
    return pd.DataFrame(rows).to_csv(index=False)
