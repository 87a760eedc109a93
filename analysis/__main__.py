"""``python -m analysis``: figures of runs. ``python -m analysis heatmap --help`` shows a figure's options."""

from __future__ import annotations

import argparse
import io
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple, NoReturn

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from analysis.closed_form import VALUES, relative_deviation
from analysis.heatmap import draw_heatmaps
from analysis.labels import CELL_VALUES
from analysis.lecture import draw_lecture, lecture_rows
from analysis.load import LoadError, load_cells, load_layers, load_manifest
from analysis.profile import draw_profiles
from analysis.save import FORMATS, SaveError, check_path, save_figure
from analysis.select import SelectionError, nearest, select
from analysis.statistics import STATISTICS

LARGEST_ON_AXIS = 1e300


class Parser(argparse.ArgumentParser):
    """An argument parser that says what is wrong in one line, and knows what was probably meant."""

    def error(self, message: str) -> NoReturn:
        """Exit with status 2 and one line, without the usage."""
        self.exit(2, f"{self.prog}: error: {' '.join(message.split())}\n")


def draw_heatmap_figure(arguments: argparse.Namespace, manifest: Mapping[str, Any]) -> Figure:
    """The atlas of the selected cells."""
    cells = _selected(arguments, load_cells(arguments.run_dir))
    cells = select(cells, depths=arguments.depths, scales=arguments.scales)
    largest = float(np.max(cells["scale"].to_numpy()))
    if largest > LARGEST_ON_AXIS:
        raise SelectionError("scales", f"{largest:g}", f"scales up to {LARGEST_ON_AXIS:g}, which an axis can hold")
    loss = manifest["sweep"].get("loss", "")
    return draw_heatmaps(cells, value=arguments.value, stat=arguments.stat, limit=arguments.limit, loss=loss)


def draw_profile_figure(arguments: argparse.Namespace, manifest: Mapping[str, Any]) -> Figure:
    """Layer by layer, for the selected networks."""
    layers = _selected(arguments, load_layers(arguments.run_dir))
    loss = manifest["sweep"].get("loss", "")
    return draw_profiles(layers, depths=arguments.depths, scales=arguments.scales, loss=loss)


def draw_lecture_figure(arguments: argparse.Namespace, manifest: Mapping[str, Any]) -> Figure:
    """The lecture's example; also prints how far the measurement is from the closed form."""
    loss = manifest["sweep"].get("loss")
    if loss != "output":
        raise SelectionError("RUN_DIR", f"loss {loss}", "a run with loss output: the closed form is that of y itself")
    cells = select(load_cells(arguments.run_dir), widths=arguments.widths)
    rows = lecture_rows(cells, scales=arguments.scales)
    figure = draw_lecture(rows)
    for value, words in zip(VALUES, ("|y|", "‖∂y/∂W_1‖_F"), strict=True):
        deviation = relative_deviation(rows, value)
        largest = int(np.argmax(deviation))  # the first NaN, if there is one: it must be seen, not skipped
        cell = rows.iloc[largest]
        print(
            f"largest relative deviation of {words} from the closed form: {deviation[largest]:.2g} "
            f"(depth {cell['depth']}, scale {cell['scale']:g}; of {len(rows)} cells)"
        )
    return figure


class Command(NamedTuple):
    """A figure: what it shows, how it is drawn, and an example."""

    summary: str
    draw: Callable[[argparse.Namespace, Mapping[str, Any]], Figure]
    example: str


FIGURES: Mapping[str, Command] = MappingProxyType(
    {
        "heatmap": Command(
            "gradient norms over depth and weight scale, a map for each initializer and activation",
            draw_heatmap_figure,
            "python -m analysis heatmap results/atlas --activations tanh relu --out atlas.pdf",
        ),
        "profile": Command(
            "gradient, cotangent and activation norms against the layer (needs a run with --layers)",
            draw_profile_figure,
            "python -m analysis profile results/smoke --depths 64 --scales 0.5 1 2 --activations tanh",
        ),
        "lecture": Command(
            "identity weights, linear activations: measured points on their closed form",
            draw_lecture_figure,
            "python -m analysis lecture results/lecture --out lecture.svg",
        ),
    }
)


def build_parser() -> Parser:
    """The whole command line."""
    parser = Parser(
        prog="python -m analysis",
        description="Draw a figure of a run. The file's path is the last line printed.",
        epilog=f"example: {FIGURES['heatmap'].example}",
        allow_abbrev=False,
    )
    commands = parser.add_subparsers(dest="figure", metavar="FIGURE", required=True, parser_class=Parser)
    for name, command in FIGURES.items():
        added = commands.add_parser(
            name,
            help=command.summary,
            description=f"{command.summary[0].upper()}{command.summary[1:]}.",
            epilog=f"example: {command.example}",
            allow_abbrev=False,
        )
        added.add_argument("run_dir", metavar="RUN_DIR", help="a run's folder, such as results/atlas")
        added.add_argument("--out", metavar="FILE", help=f"{', '.join(FORMATS)} by the ending (default: RUN_DIR/{name}.png)")
        _add_options(added, name)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Draw one figure; returns the exit status: 0 done, 2 bad arguments (one line on standard error)."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # a terminal without Unicode gets codes, not a traceback
    argv = list(sys.argv[1:] if argv is None else argv)
    parser = build_parser()
    if argv and not argv[0].startswith("-") and argv[0] not in FIGURES:
        parser.error(f"FIGURE: got {argv[0]!r}, expected one of {', '.join(FIGURES)}{nearest(argv[0], FIGURES)}")
    arguments, unknown = parser.parse_known_args(argv)
    prog = f"{parser.prog} {arguments.figure}"
    if unknown:
        known = [f"--{name.replace('_', '-')}" for name in vars(arguments) if name not in ("figure", "run_dir")]
        print(
            f"{prog}: error: unknown argument {unknown[0]!r}{nearest(unknown[0], known)}; expected {', '.join(known)}",
            file=sys.stderr,
        )
        return 2
    try:
        manifest = load_manifest(arguments.run_dir)
        target = check_path(arguments.out if arguments.out else Path(arguments.run_dir) / f"{arguments.figure}.png")
        figure = FIGURES[arguments.figure].draw(arguments, manifest)
        written = save_figure(figure, target)
    except LoadError as error:
        print(f"{prog}: error: RUN_DIR: {error}", file=sys.stderr)
    except SaveError as error:
        print(f"{prog}: error: --out: {error}", file=sys.stderr)
    except SelectionError as error:
        flag = "" if error.argument in ("RUN_DIR", "selection") else "--"
        argument, _, text = str(error).partition(": ")
        print(f"{prog}: error: {flag}{argument.replace('_', '-') if flag else argument}: {text}", file=sys.stderr)
    else:
        if not manifest.get("finished"):
            print(f"{prog}: note: the run is not finished; the figure shows what is there", file=sys.stderr)
        print(written)
        return 0
    return 2


def _add_options(parser: argparse.ArgumentParser, figure: str) -> None:
    def several(flag: str, kind: Callable[[str], Any], words: str, metavar: str) -> None:
        parser.add_argument(flag, nargs="+", type=kind, metavar=metavar, help=f"only these {words} of the run")

    if figure == "heatmap":
        parser.add_argument(
            "--value", default=CELL_VALUES[0], metavar="COLUMN", help=f"{', '.join(CELL_VALUES)} (default: %(default)s)"
        )
        parser.add_argument(
            "--stat", default="median", metavar="STAT", help=f"over seeds: {', '.join(STATISTICS)} (default: %(default)s)"
        )
        parser.add_argument(
            "--limit", type=_positive, metavar="DECADES", help="where colours end (default: from the data, robustly)"
        )
    if figure != "lecture":
        several("--initializers", str, "schemes", "NAME")
        several("--activations", str, "activations", "NAME")
        several("--bias-stds", _number, "standard deviations of the biases", "S")
        depths = "depths" if figure == "heatmap" else "depths (default: the largest)"
        several("--depths", _whole, depths, "N")
    several("--widths", _whole, "widths", "N")
    several("--scales", _number, "weight scales" if figure == "heatmap" else "weight scales (default: a few, spread)", "S")


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"got {text!r}, expected a number such as 0.5") from None


def _whole(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"got {text!r}, expected a whole number such as 64") from None


def _positive(text: str) -> float:
    number = _number(text)
    if not 0 < number < float("inf"):
        raise argparse.ArgumentTypeError(f"got {text!r}, expected a number above 0")
    return number


def _selected(arguments: argparse.Namespace, frame: pd.DataFrame) -> pd.DataFrame:
    return select(
        frame,
        initializers=arguments.initializers,
        activations=arguments.activations,
        widths=arguments.widths,
        bias_stds=arguments.bias_stds,
    )


if __name__ == "__main__":
    sys.exit(main())
