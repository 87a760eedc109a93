"""Everything that ``depthscale papers`` writes: figures, verdicts, tables and the page."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from analysis.papers.gallery import FOLDER, keep, kept, measure
from analysis.papers.page import page
from analysis.papers.paper import Paper
from analysis.papers.tables import as_csv, as_latex, as_markdown, as_text, rows_of
from bench.runs.files import write_whole


def publish(
    papers: Sequence[Paper],
    size: str,
    results: Path,
    *,
    progress: bool = True,
    overwrite: bool = False,
    tell: Callable[[str], object] = print,
) -> Path:
    """Measure what is missing of these papers; write their figures and verdicts, and tables and a page of all there are.

    tell: is given the table of these papers. Returns the page's path. Raises UsageError and OSError; what was measured
    before is then on the page, as after a kill, and told.
    """
    verdicts = []
    try:
        for paper, frames in measure(papers, size, results, progress=progress, overwrite=overwrite):
            verdicts.append(keep(paper, size, frames, results))
            _write(results)  # at once: what ends the process meanwhile leaves no time for it
    finally:
        if verdicts:
            tell(as_text(rows_of(verdicts)))
    return results / FOLDER / "index.html"


def _write(results: Path) -> None:
    """Tables and the page of all papers that were measured there."""
    folder, everything = results / FOLDER, kept(results)
    rows = rows_of(everything)
    texts = {"table.md": as_markdown(rows), "table.csv": as_csv(rows), "table.tex": as_latex(rows)}
    for name, text in {**texts, "index.html": page(everything, folder)}.items():
        write_whole(folder / name, lambda path, text=text: path.write_text(text, encoding="utf-8"))
