"""``python -m tests.arithmetic.formats_table``: the table of formats in docs/formats.md, from the formats themselves."""

import numpy as np

from bench.arithmetic.formats import FORMATS
from tests.arithmetic.generated import DOCS, with_table

PAGE = DOCS / "formats.md"


def table() -> str:
    lines = [
        "| format | bits after the point | smallest | smallest normal | largest | beyond it |",
        "|---|---|---|---|---|---|",
    ]
    for name, own in FORMATS.items():
        smallest = (
            f"2^{own.least} (no subnormal ones)"
            if own.least <= np.finfo(np.float32).minexp
            else f"2^{own.least - own.digits}"
        )
        beyond = "the largest" if own.beyond == own.largest else str(own.beyond)
        lines.append(f"| `{name}` | {own.digits} | {smallest} | 2^{own.least} | {own.largest:.5g} | {beyond} |")
    return "\n".join(lines) + "\n"


def page() -> str:
    return with_table(PAGE, table())


if __name__ == "__main__":
    PAGE.write_text(page())
