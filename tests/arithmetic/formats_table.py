"""``python -m tests.arithmetic.formats_table``: the table of formats in docs/formats.md, from the formats themselves."""

from pathlib import Path

import numpy as np

from bench.arithmetic.formats import FORMATS

PAGE = Path(__file__).parents[2] / "docs" / "formats.md"
START, END = "<!-- table -->\n", "<!-- end -->\n"


def table() -> str:
    lines = [
        "| format | bits after the point | smallest | smallest normal | largest | beyond it |",
        "|---|---|---|---|---|---|",
    ]
    for name, own in FORMATS.items():
        normal = own.least - own.digits
        smallest = f"2^{own.least} (no subnormal ones)" if own.least <= np.finfo(np.float32).minexp else f"2^{normal}"
        beyond = "the largest" if own.beyond == own.largest else str(own.beyond)
        lines.append(f"| `{name}` | {own.digits} | {smallest} | 2^{own.least} | {own.largest:.5g} | {beyond} |")
    return "\n".join(lines) + "\n"


def page() -> str:
    before, rest = PAGE.read_text().split(START)
    return before + START + "\n" + table() + "\n" + END + rest.split(END)[1]


if __name__ == "__main__":
    PAGE.write_text(page())
