"""The figures of a run by name, found where they are declared; nothing of them is imported before one is asked for."""

from __future__ import annotations

import argparse
import inspect
from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol

from bench.runs.manifest import is_a, load_manifest
from bench.settings.suggestions import nearest

NETWORKS = ("architectures", "initializers", "activations", "widths", "bias_stds", "input_norms")
SELECTED = (*NETWORKS, "formats", "depths", "scales", "optimizers", "learning_rates", "correlations")
SAID = ("loss", "target", "steps")  # what a panel is told of the run


class Drawn(Protocol):
    """What can be drawn: a run."""

    path: Path

    @property
    def manifest(self) -> Mapping[str, Any]:
        """As :attr:`bench.interface.run.Run.manifest`."""
        ...

    @property
    def kind(self) -> str:
        """As :attr:`bench.interface.run.Run.kind`."""
        ...


class Plots:
    """``run.plot.NAME(...)`` draws what ``depthscale plot NAME`` does and returns the matplotlib Figure.

    Its arguments are that command's options, with ``_`` for ``-``. With ``ax=`` it draws one panel there instead and returns
    the Axes: then the arguments are those of the figure's ``plot_NAME``, and which of the run's rows are meant, as
    ``initializers="orthogonal", activations="tanh"``. Both are in the figure's help: ``help(run.plot.heatmap)``.
    """

    def __init__(self, run: Drawn) -> None:
        self._run = run

    def __dir__(self) -> list[str]:
        return [name.replace("-", "_") for name in _finder().outlines() if self._fits(_finder().load(name))]

    def __repr__(self) -> str:
        summaries = {name.replace("-", "_"): outline.summary for name, outline in _finder().outlines().items()}
        names = dir(self)
        width = max(map(len, names), default=0)
        return "\n".join([f"figures of {self._run.path}:", *(f"  {name:{width}}  {summaries[name]}" for name in names)])

    def __getattr__(self, name: str) -> Callable[..., Any]:
        if name.startswith("_"):  # asked by notebooks, copy and the like
            raise AttributeError(name)
        finder, written = _finder(), name.replace("_", "-")
        if written not in finder.outlines():
            raise AttributeError(f"there is no figure {name!r}{nearest(name, dir(self))}; there are {', '.join(dir(self))}")
        figure = finder.load(written)
        if not is_a(self._run.kind, figure.reads):
            reads = f"a {figure.reads}" if figure.reads else "no run"
            raise AttributeError(f"{name} is a figure of {reads}; of a {self._run.kind} there are {', '.join(dir(self))}")
        return self._drawing(name, figure)

    def _fits(self, figure: Any) -> bool:
        return is_a(self._run.kind, figure.reads) and (self._run.path / figure.table).exists()

    def _drawing(self, name: str, figure: Any) -> Callable[..., Any]:
        panel = getattr(import_module(f"analysis.figures.{name}"), f"plot_{name}")

        def draw(*, ax: Any = None, **options: Any) -> Any:
            if ax is not None:
                return panel(self._selected(figure, panel, options), ax=ax, **options)
            return figure.draw(self._arguments(name, figure, options), load_manifest(self._run.path, figure.reads))

        draw.__name__ = draw.__qualname__ = name
        draw.__doc__ = f"{figure.summary}\n\nOptions of the whole figure: {', '.join(_defaults(figure))}.\n\n"
        draw.__doc__ += f"On ``ax``, one panel: {inspect.signature(panel)}\n\n{inspect.getdoc(panel)}"
        return draw

    def _arguments(self, name: str, figure: Any, options: Mapping[str, Any]) -> argparse.Namespace:
        """What the command line would have parsed. Raises TypeError for an option that the figure does not have."""
        known = _defaults(figure)
        for option in options:
            if option not in known:
                hint = nearest(option, known)
                raise TypeError(f"{name}() got an unexpected argument {option!r}{hint}; expected {', '.join(known)}, or ax")
        several = {key for key in known if key in SELECTED or isinstance(known[key], list)}
        given = {key: _listed(value) if key in several else value for key, value in options.items()}
        return argparse.Namespace(**{**known, **given, "run_dir": self._run.path})

    def _selected(self, figure: Any, panel: Callable[..., Any], options: dict[str, Any]) -> Any:
        """The rows for one panel; takes their selection out of ``options``, and puts in what the run says of itself."""
        load, select = import_module("analysis.rows.load"), import_module("analysis.rows.select")
        rows = load.load_table(self._run.path) if figure.table == load.TABLE else getattr(self._run, figure.table)
        known = inspect.signature(panel).parameters
        wanted = {name: _listed(options.pop(name)) for name in SELECTED if name in options and name not in known}
        for name, value in self._run.manifest[self._run.kind].items():
            if name in known and name in SAID:
                options.setdefault(name, value)
        return select.select(rows, **wanted)


def _finder() -> Any:
    return import_module("analysis.cli.find")


def _defaults(figure: Any) -> dict[str, Any]:
    """The figure's options with their defaults."""
    parser = argparse.ArgumentParser(add_help=False)
    figure.add_options(parser)
    return vars(parser.parse_args([]))


def _listed(value: Any) -> list[Any] | None:
    if value is None:
        return None
    return [value] if isinstance(value, (str, int, float)) else list(value)
