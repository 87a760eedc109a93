"""A table of a page that is made from the code."""

from pathlib import Path

DOCS = Path(__file__).parents[2] / "docs"
START, END = "<!-- table -->\n", "<!-- end -->\n"


def with_table(page: Path, table: str) -> str:
    """The page's text with this table in the place of its own."""
    before, rest = page.read_text().split(START)
    return before + START + "\n" + table + "\n" + END + rest.split(END)[1]
