"""``python -m tests.arithmetic.table``: the table of primitives in docs/unbounded.md, from the rules themselves."""

from bench.arithmetic.rules import control, functions, products, structure, sums
from bench.arithmetic.unbounded import IN_RANGE, RULES
from tests.arithmetic.generated import DOCS, with_table

PAGE = DOCS / "unbounded.md"
KINDS = {
    "products": (products, "mantissas by the primitive, exponents add"),
    "sums and comparisons": (sums, "one exponent for what meets"),
    "functions": (functions, "a rule of their own where numbers are tiny or huge"),
    "structure": (structure, "exponents move with the numbers"),
    "programs": (control, "opened; loops carry one exponent an array, and stack one a step"),
}


def names(primitives) -> str:
    return " ".join(f"`{name}`" for name in sorted(primitives))


def table() -> str:
    lines = ["| at any magnitude | how | primitives |", "|---|---|---|"]
    lines += [f"| exact: {kind} | {how} | {names(module.RULES)} |" for kind, (module, how) in KINDS.items()]
    lines.append(
        f"| exact within a float's range at that place | plain floats in, extended out | {names(IN_RANGE - RULES.keys())} |"
    )
    lines.append("| a warning, or refused with `strict=True` | plain floats in, extended out | every other |")
    return "\n".join(lines) + "\n"


def page() -> str:
    return with_table(PAGE, table())


if __name__ == "__main__":
    PAGE.write_text(page())
