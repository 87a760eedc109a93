r"""A comparison as files that people paste: CSV with every number, Markdown, and LaTeX that fits on a page.

``table.tex`` needs ``\usepackage{booktabs}`` and ``\usepackage{siunitx}``, whose S columns align its numbers.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

import pandas as pd
from tabulate import tabulate

from bench.comparison.columns import Column, brief, columns_of, whole
from bench.comparison.notes import in_order, legend, notes
from bench.runs.files import write_whole

GROUP = ("activation", "width", "input_norm")
HEAD = (
    "{activation}, width {width}, depth {depth}, seeds: {seeds} (stretch and cond: {isometry_seeds}; cond at depth "
    "{condition_depth})"
)
LATEX: Mapping[str, str] = MappingProxyType(
    {name: f"\\{name}" for name in "_&%$#{}"}
    | {"–": "--", "×": r"$\times$"}
    | {"~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "\\": r"\textbackslash{}", "<": "$<$", ">": "$>$", "|": "$|$"}
)
MARKDOWN: Mapping[str, str] = MappingProxyType({name: f"\\{name}" for name in "|`*[]\\"} | {"<": "&lt;"})
ASCII: Mapping[str, str] = MappingProxyType({"–": "--", "≤": "<=", "×": "x", "√": "sqrt "})  # in comments
PREAMBLE = r"% Needs \usepackage{booktabs} and \usepackage{siunitx}."
FEW, SEVERAL = 9, 10  # columns: more stand closer together, and even more are smaller
NUMBER = re.compile(r"([+-]?)(\d+)(?:\.(\d+))?")


def as_text(table: pd.DataFrame, style: str, columns: Sequence[str] | None = None) -> str:
    """The table in a style, ``latex`` or one of :mod:`tabulate`'s (``github``, ``simple``): a part for each activation.

    columns: names in :data:`COLUMNS`; by default all of them in Markdown, and elsewhere those that fit on a page.
    """
    shown = columns if columns is not None else whole(table) if style == "github" else brief(table)
    chosen = columns_of(table, shown)
    lines = legend(table)
    heads = {
        "github": escape(" ".join(lines), MARKDOWN),
        "latex": "\n% ".join((PREAMBLE, *(escape(line, ASCII) for line in lines))),
    }
    written = [f"{heads[style]}\n"] if style in heads else []
    for _, rows in table.groupby([name for name in GROUP if name in table], sort=False):
        records = in_order(rows).to_dict("records")
        cells = [[column.words(row) for column in chosen] for row in records]
        head = escape(HEAD.format(**records[0]), {})
        if records[0].get("input_norm", 1.0) != 1.0:
            head += f"; inputs of norm {records[0]['input_norm']:g} √n"
        if style == "latex":
            below = "".join(f"% {escape(line, ASCII)}\n" for line in notes(rows))
            written.append(f"% {escape(head, ASCII)}\n{_tabular(chosen, cells)}\n{below}")
            continue
        escapes = MARKDOWN if style == "github" else {}
        body = [[_cell(column, words, escapes) for column, words in zip(chosen, row, strict=True)] for row in cells]
        align = ["left" if column.kind == "text" else "right" for column in chosen]
        title = f"### {escape(head, MARKDOWN)}" if style == "github" else head
        drawn = tabulate(body, [column.heading for column in chosen], style, disable_numparse=True, colalign=align)
        below = "".join(f"\n{escape(line, escapes)}\n" for line in notes(rows))
        written.append(f"{title}\n\n{drawn}\n{below}")
    return "\n".join(written)


def escape(text: str, characters: Mapping[str, str]) -> str:
    """The text with those characters replaced, and a blank for what is not printable, such as the end of a line."""
    return "".join(characters.get(character, character if character.isprintable() else " ") for character in text)


def _cell(column: Column, words: str, escapes: Mapping[str, str]) -> str:
    return f"10^{words}" if column.kind == "power" and NUMBER.fullmatch(words) else escape(words, escapes)


def _tabular(columns: Sequence[Column], cells: Sequence[Sequence[str]]) -> str:
    kinds = [_column_type(column, [row[place] for row in cells]) for place, column in enumerate(columns)]
    heads = ["{" + escape(column.heading, LATEX) + "}" for column in columns]
    body = [[_latex_cell(column, words) for column, words in zip(columns, row, strict=True)] for row in cells]
    lines = [f"{' & '.join(row)} \\\\" for row in (heads, *body)]
    size = r"\scriptsize" if len(columns) > SEVERAL else r"\footnotesize"
    return "\n".join(
        [
            rf"\noindent{{{size}\setlength{{\tabcolsep}}{{{1.5 if len(columns) > FEW else 3}pt}}",
            rf"\begin{{tabular}}{{@{{}} {' '.join(kinds)} @{{}}}}",
            r"\toprule",
            lines[0],
            r"\midrule",
            *lines[1:],
            r"\bottomrule",
            r"\end{tabular}}",
        ]
    )


def _column_type(column: Column, words: Sequence[str]) -> str:
    """Of an S column: the most digits before and after the point, and whether there are signs."""
    if column.kind != "number":
        return {"text": "l", "power": "r"}[column.kind]
    numbers = [found.groups(default="") for found in map(NUMBER.fullmatch, words) if found]
    whole, after = (max((len(number[part]) for number in numbers), default=size) for part, size in ((1, 1), (2, 0)))
    sign = "-" if any(number[0] for number in numbers) else ""
    return f"S[table-format={sign}{whole}{f'.{after}' if after else ''}]"


def _latex_cell(column: Column, words: str) -> str:
    if column.kind == "text" or not words:
        return escape(words, LATEX)
    if column.kind == "power":
        return f"$10^{{{words}}}$" if NUMBER.fullmatch(words) else r"$\infty$"
    return words if NUMBER.fullmatch(words) else "{" + escape(words, LATEX) + "}"  # what S columns do not parse


def write_table(table: pd.DataFrame, folder: Path, columns: Sequence[str] | None = None) -> list[Path]:
    """``table.csv``, ``table.md`` and ``table.tex`` in a run's folder, each complete or absent. Raises OSError.

    columns: of the last two, see :func:`as_text`.
    """
    texts = {
        "table.csv": table.to_csv(index=False),
        "table.md": as_text(table, "github", columns),
        "table.tex": as_text(table, "latex", columns),
    }
    for name in texts:
        if (folder / name).is_dir():
            raise IsADirectoryError(f"{folder / name} is a folder")
    for name, text in texts.items():
        write_whole(folder / name, lambda path, text=text: path.write_text(text, encoding="utf-8"))
    return [folder / name for name in texts]
