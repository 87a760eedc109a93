"""The page's pictures, empty: Bokeh models that the page fills from its data when a setting is chosen."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from bokeh.core.types import ID
from bokeh.embed import json_item
from bokeh.models import (
    ColorBar,
    ColumnDataSource,
    CrosshairTool,
    FixedTicker,
    HoverTool,
    LinearColorMapper,
    LogColorMapper,
    PlainText,
    Range1d,
    Span,
)
from bokeh.plotting import figure
from bokeh.resources import Resources

from analysis.drawing.edge import COLOUR as EDGE
from analysis.drawing.labels import printable
from analysis.drawing.style import depth_ticks
from analysis.report.lattice import Axis

TOOLS = "box_zoom,reset"
LINE = "#0072b2"
THEORY = "#d55e00"
NAME = 24  # letters of a name on an axis
HEIGHT, LINE_HEIGHT = 400, 230  # pixels


def library() -> str:
    """BokehJS itself, to stand in the page: its plots alone, none of its widgets."""
    return "\n".join(Resources(mode="inline", components=["bokeh"], minified=True).js_raw)


def as_json(plot: Any, target: str) -> dict[str, Any]:
    """The plot as the page embeds it into the element of that id."""
    return json.loads(json.dumps(json_item(plot, ID(target))))


def map_plot(name: str, x: Axis, y: Axis, tips: Sequence[tuple[str, str]]) -> Any:
    """A map with its cells, lines and colour bar. tips: words and columns of what hovering over a cell shows."""
    ends = x.edges, y.edges
    plot = figure(
        name=name,
        x_axis_type="log" if x.is_log else "linear",
        y_axis_type="log" if y.is_log else "linear",
        x_range=Range1d(start=float(ends[0][0]), end=float(ends[0][-1])),
        y_range=Range1d(start=float(ends[1][0]), end=float(ends[1][-1])),
        x_axis_label=x.words,
        y_axis_label=y.words,
        height=HEIGHT,
        **_look(),
    )
    columns = ["left", "right", "bottom", "top", "colour", "hatch", "ink", *(column for _, column in tips)]
    cells = plot.quad(
        left="left",
        right="right",
        bottom="bottom",
        top="top",
        fill_color="colour",
        line_color="colour",
        line_width=0.5,
        hatch_pattern="hatch",
        hatch_color="ink",
        hatch_scale=10,
        hatch_weight=0.6,
        hatch_alpha=0.7,
        source=_source(f"{name}-cells", columns),
    )
    lines = _source(f"{name}-limits", ("x", "y", "dash", "words"))
    for colour, width in (("white", 3.2), ("black", 1.4)):  # a rim, so that black is seen on the darkest colours
        plot.multi_line("x", "y", line_color=colour, line_width=width, line_dash="dash", source=lines)
    for colour, width in (("white", 4), (EDGE, 2)):
        plot.add_layout(
            Span(dimension="width", location=0, line_color=colour, line_width=width, line_dash="dotdash", visible=False)
        )
    failed = _source(f"{name}-failed", ("x", "y"))
    plot.scatter("x", "y", marker="x", size=5, line_color="black", source=failed)
    chosen = _source(f"{name}-chosen", ("left", "right", "bottom", "top"))
    for colour, width in (("white", 4), ("black", 2)):
        plot.quad("left", "right", "top", "bottom", fill_alpha=0, line_color=colour, line_width=width, source=chosen)
    plot.add_tools(HoverTool(renderers=[cells], tooltips=[(words, f"@{column}") for words, column in tips]))
    for mapper, kind in ((LinearColorMapper, "linear"), (LogColorMapper, "log")):
        bar = ColorBar(
            color_mapper=mapper(palette=["white"], low=1, high=2), name=f"{name}-{kind}", visible=kind == "linear"
        )
        bar.update(width=12, title="", background_fill_alpha=0, major_label_text_font_size="9pt")
        plot.add_layout(bar, "right")
    _ticks(plot.xaxis[0], x)
    _ticks(plot.yaxis[0], y)
    plot.grid.visible = False
    plot.toolbar.logo = None
    return plot


def line_plot(name: str, x_words: str, y_words: str, *, log: bool, axis: Axis | None = None) -> Any:
    """Lines over one axis: the median with its interval, and theory beside it."""
    plot = figure(
        name=name,
        x_axis_type="log" if log else "linear",
        x_axis_label=x_words,
        y_axis_label=y_words,
        height=LINE_HEIGHT,
        **_look(),
    )
    columns = ("low", "median", "high", "words", "y")
    start: Any = {"x": [1, 2], **{column: [0, 1] for column in columns}}  # no range is of nothing
    source = ColumnDataSource(start, name=f"{name}-line")
    theory = ColumnDataSource(start, name=f"{name}-theory")
    plot.varea("x", "low", "high", fill_color=LINE, fill_alpha=0.25, source=source)
    plot.line("x", "median", line_color=LINE, line_width=1.5, source=source)
    dots = plot.scatter("x", "median", color=LINE, size=4, source=source)
    plot.line("x", "y", line_color=THEORY, line_width=1.5, line_dash="dashed", source=theory)
    plot.add_layout(Span(dimension="height", location=0, line_color="gray", line_dash="dotted", visible=False))
    plot.add_tools(HoverTool(renderers=[dots], tooltips=[("", "@words")], mode="vline"), CrosshairTool(dimensions="height"))
    if axis is not None:
        _ticks(plot.xaxis[0], axis)
        plot.x_range = Range1d(start=float(axis.edges[0]), end=float(axis.edges[-1]))
    plot.toolbar.logo = None
    return plot


def dots_plot(name: str, columns: Mapping[str, Sequence[Any]], words: str) -> Any:
    """Dots with bars, which are there from the start: x, y, low, high, colour, marker, and what hovering tells."""
    plot = figure(name=name, x_axis_label=words, y_axis_label="log10", height=HEIGHT, **_look())
    given: Any = dict(columns)
    source = ColumnDataSource(given, name=f"{name}-data")
    plot.segment("x", "low", "x", "high", line_color="colour", source=source)
    dots = plot.scatter("x", "y", marker="marker", size=8, color="colour", source=source)
    tips = [("parameter", "@path"), ("layer", "@x"), ("gradient per entry", "@size"), ("verdict", "@verdict")]
    plot.add_tools(HoverTool(renderers=[dots], tooltips=tips))
    plot.toolbar.logo = None
    return plot


def _source(name: str, columns: Sequence[str]) -> ColumnDataSource:
    """Without rows: the page fills it."""
    empty: Any = {column: [] for column in columns}
    return ColumnDataSource(empty, name=name)


def _look() -> dict[str, Any]:
    return {
        "tools": TOOLS,
        "active_drag": None,  # a finger that scrolls the page shall not draw a box
        "sizing_mode": "stretch_width",
        "min_width": 240,
        "toolbar_location": "above",
        "background_fill_alpha": 0,
        "border_fill_alpha": 0,
    }


def _ticks(axis: Any, of: Axis) -> None:
    numbers: Mapping[float, str]
    if of.column in ("depth", "scale", "learning_rate", "readout_learning_rate"):
        if not (of.is_log or len(of.points) <= 4):
            return
        first, last = of.points[0], of.points[-1]
        ticks = of.points if len(of.points) <= 4 else depth_ticks(first, last)
        numbers = {float(tick): f"{tick:g}" for tick in ticks}
    else:
        numbers = {float(place): _short(printable(str(value))) for place, value in enumerate(of.points)}
    axis.ticker = FixedTicker(ticks=list(numbers))
    # plain text: a name between $$ would be taken for mathematics
    axis.major_label_overrides = {tick: PlainText(text=words) for tick, words in numbers.items()}


def _short(name: str) -> str:
    """Without as much of its beginning as makes it too long: the end of package.module:function is what names it."""
    return name if len(name) <= NAME else f"…{name[1 - NAME :]}"
