"""What each measured column is called on an axis."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType

from analysis.rows.select import Facet, check_name, facet_title

FIRST, LAST = r"\partial LOSS/\partial W_1", r"\partial LOSS/\partial W_{L-1}"
SYMBOLS: Mapping[str, str] = MappingProxyType(
    {
        "log10_grad_first": rf"\Vert {FIRST}\Vert_\mathrm{{F}}",
        "log10_grad_last": rf"\Vert {LAST}\Vert_\mathrm{{F}}",
        "log10_grad_global": r"\Vert\partial LOSS/\partial(W_1,\ldots,W_L)\Vert",
        "log10_output": r"|y|",
        "log10_grad_least": r"\min_{l<L}\,\Vert\partial LOSS/\partial W_l\Vert_\mathrm{F}",
        "log10_grad_largest": r"\max_{l<L}\,\Vert\partial LOSS/\partial W_l\Vert_\mathrm{F}",
        "log10_grad_per_weight_first": rf"\Vert {FIRST}\Vert_\mathrm{{F}}\,/\,\Vert W_1\Vert_\mathrm{{F}}",
        "log10_relative_first": rf"\Vert {FIRST}\Vert_\mathrm{{F}}\,\Vert W_1\Vert_\mathrm{{F}}\,/\,|LOSS|",
        "log10_relative_last": rf"\Vert {LAST}\Vert_\mathrm{{F}}\,\Vert W_{{L-1}}\Vert_\mathrm{{F}}\,/\,|LOSS|",
        "relative_imbalance": rf"(\Vert {FIRST}\Vert\,\Vert W_1\Vert)\,/\,(\Vert {LAST}\Vert\,\Vert W_{{L-1}}\Vert)",
        "log10_entry_tenth": rf"q_{{0.1}}\,|({FIRST})_{{ij}}\neq 0|",
        "log10_entry_median": rf"q_{{0.5}}\,|({FIRST})_{{ij}}\neq 0|",
        "log10_entry_largest": rf"\max_{{ij}}\,|({FIRST})_{{ij}}|",
        "log10_grad": r"\Vert\partial LOSS/\partial W_l\Vert_\mathrm{F}",
        "log10_delta": r"\Vert\partial LOSS/\partial z_l\Vert_2",
        "log10_activation": r"\Vert h_l\Vert_2",
    }
)
LAYER_VALUES = tuple(SYMBOLS)[-3:]
WORDS: Mapping[str, str] = MappingProxyType(  # of a cell's
    {
        "log10_grad_first": "gradient of the first layer",
        "log10_grad_last": "gradient of the last hidden layer",
        "log10_grad_global": "gradient of all layers together",
        "log10_output": "output",
        "log10_grad_least": "least gradient of a hidden layer",
        "log10_grad_largest": "largest gradient of a hidden layer",
        "log10_grad_per_weight_first": "gradient of the first layer per weight",
        "log10_relative_first": "relative gradient of the first layer",
        "log10_relative_last": "relative gradient of the last hidden layer",
        "relative_imbalance": "imbalance: relative gradients, first over last layer",
        "log10_entry_tenth": "gradient of the first layer: 10 % quantile of its entries",
        "log10_entry_median": "gradient of the first layer: median of its entries",
        "log10_entry_largest": "gradient of the first layer: largest entry",
    }
)
CELL_VALUES = tuple(WORDS)


def symbol(value: str, *, loss: str = "output") -> str:
    """The norm that a column is the log10 of, as mathematics. Raises SelectionError (a ValueError) if there is none.

    ``loss`` is the sweep's: under ``"output"`` the loss is y itself, and the derivative is written as y's.
    """
    text = SYMBOLS[check_name("value", value, SYMBOLS)]
    return text.replace("LOSS", "y" if loss == "output" else r"\ell")


def axis_label(value: str, *, loss: str = "output") -> str:
    """log₁₀ of that norm, ready for matplotlib."""
    return rf"$\log_{{10}}\,{symbol(value, loss=loss)}$"


def counted(count: int, word: str) -> str:
    """So many of a thing: ``1 network``, ``2 networks``."""
    return f"{count:,} {word}{'' if count == 1 else 's'}"


def printable(text: str) -> str:
    """The text with a mark for each character that cannot be printed."""
    return "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in text)


def plain(text: str) -> str:
    """The text as it is, ready for matplotlib: nothing in it is mathematics."""
    return printable(text).replace("$", r"\$")


def panel_title(facet: Facet, named: Iterable[str]) -> str:
    """Words for one panel, ready for matplotlib, whatever stands in a name."""
    return plain(facet_title(facet, named))
