"""All papers on one page that needs nothing beside it: references, figures and verdicts."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

from analysis.papers.claim import SURE
from analysis.papers.tables import number, ours, rows_of, summary

STYLE = """
:root { color-scheme: light dark; --line: #8886; --faint: #8882 }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem }
h2 { margin: 3rem 0 .3rem; font-size: 1.2rem } .where { opacity: .75; font-size: .9rem }
img { width: 100%; background: white; border-radius: 4px } .wide { overflow-x: auto }
table { border-collapse: collapse; width: 100%; font-size: .9rem; font-variant-numeric: tabular-nums }
th, td { text-align: left; vertical-align: top; padding: .35rem .5rem; border-bottom: 1px solid var(--line) }
.verdict { white-space: nowrap; font-weight: 600 } tr.differs { background: var(--faint) }
.reproduced .verdict::before { content: "✓ " } .differs .verdict::before { content: "≠ " }
.not-resolved .verdict::before { content: "? " } .out-of-scope .verdict::before { content: "– " }
"""
HEADINGS = ("claim", "published", "ours", "theory", "verdict")


def page(papers: Sequence[Mapping[str, Any]], folder: Path) -> str:
    """The page's text. papers: as they are kept; folder: where their figures NAME.png are."""
    index = "".join(
        f'<li><a href="#{escape(paper["name"])}">{escape(paper["authors"])} {paper["year"]}</a>: {_counts(paper)}</li>'
        for paper in papers
    )
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Papers, measured again</title>'
        f'<meta name="viewport" content="width=device-width, initial-scale=1"><style>{STYLE}</style></head><body>'
        f"<h1>Papers, measured again</h1><p>{escape(summary(rows_of(papers)))}</p>"
        "<p>A claim is <b>reproduced</b> where our 95 % interval lies within what it accepts, <b>differs</b> where it lies "
        "outside, and is <b>not resolved</b> where the interval holds both.</p>"
        f"<ol>{index}</ol>{''.join(_section(paper, folder) for paper in papers)}</body></html>\n"
    )


def _counts(paper: Mapping[str, Any]) -> str:
    verdicts = [row["verdict"] for row in paper["claims"]]
    return escape(", ".join(f"{verdicts.count(each)} {each}" for each in dict.fromkeys(verdicts)))


def _section(paper: Mapping[str, Any], folder: Path) -> str:
    name, title = escape(paper["name"]), escape(f"{paper['authors']} {paper['year']}. {paper['title']}.")
    arxiv = f" arXiv {escape(paper['arxiv'])}." if paper["arxiv"] else ""
    drawn = folder / f"{paper['name']}.png"
    image = f"data:image/png;base64,{b64encode(drawn.read_bytes()).decode()}" if drawn.is_file() else ""
    figure = f'<img src="{image}" alt="The figure of {title}">' if image else ""
    head = "".join(f"<th>{each}</th>" for each in HEADINGS)
    body = "".join(map(_row, paper["claims"]))
    return (
        f'<section><h2 id="{name}">{title}</h2><p class="where">{arxiv} Size: {escape(paper["size"])}; '
        f"<code>depthscale papers {name} --size {escape(paper['size'])}</code></p>{figure}"
        f'<div class="wide"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div></section>'
    )


def _row(row: Mapping[str, Any]) -> str:
    low, high = (number(float(row[name])) for name in ("accepts_low", "accepts_high"))
    rule = f"accepted from {low} to {high}" if row["verdict"] != "out of scope" else ""
    sure = str(SURE.get(row["sure"], row["sure"]))
    cells = (
        f"{escape(row['claim'])}<div class=where>{escape(row['quantity'])}</div>",
        f"{escape(row['published'])}<div class=where>{escape(row['where'])}; {escape(sure)}</div>",
        f"{escape(ours(row))}<div class=where>{escape(rule)}</div>",
        escape(number(float(row["theory"]))),
        f"<span class=verdict>{escape(row['verdict'])}</span><div class=where>{escape(row['because'])}</div>",
    )
    kind = escape(row["verdict"].replace(" ", "-"))
    return f'<tr class="{kind}">{"".join(f"<td>{each}</td>" for each in cells)}</tr>'
