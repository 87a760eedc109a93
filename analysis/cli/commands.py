"""The figures that the command line draws: each a few lines from arguments to a figure."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from analysis.cli import options
from analysis.cli.command import Command, selected
from analysis.cli.training_commands import TRAINING_FIGURES
from analysis.figures.compare import draw_compare
from analysis.figures.heatmap import draw_heatmaps
from analysis.figures.lecture import draw_lecture, lecture_rows
from analysis.figures.phase import plot_phase
from analysis.figures.profile import draw_profiles
from analysis.figures.residual import draw_residuals
from analysis.numbers.agreement import VALUE, agreement
from analysis.numbers.closed_form import VALUES, relative_deviation
from analysis.numbers.phase_plane import phase_plane
from analysis.rows.load import load_cells, load_layers, load_table
from analysis.rows.select import SelectionError, select

LARGEST_ON_AXIS = 1e300


def draw_heatmap_figure(arguments: argparse.Namespace, manifest: Mapping[str, Any]) -> Figure:
    """The atlas of the selected cells, or what is left of it when theory is taken away."""
    loss = manifest["sweep"].get("loss", "")
    if arguments.residual:
        _check_residual(arguments, loss)
    cells = selected(arguments, load_cells(arguments.run_dir))
    cells = select(cells, depths=arguments.depths, scales=arguments.scales)
    largest = float(np.max(cells["scale"].to_numpy()))
    if largest > LARGEST_ON_AXIS:
        raise SelectionError("scales", f"{largest:g}", f"scales up to {LARGEST_ON_AXIS:g}, which an axis can hold")
    if arguments.residual:
        return draw_residuals(agreement(cells, progress=True))
    return draw_heatmaps(
        cells,
        value=arguments.value,
        stat=arguments.stat or "median",
        limit=arguments.limit,
        loss=loss,
        theory=not arguments.no_theory,
    )


def draw_profile_figure(arguments: argparse.Namespace, manifest: Mapping[str, Any]) -> Figure:
    """Layer by layer, for the selected networks."""
    layers = selected(arguments, load_layers(arguments.run_dir))
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


def draw_compare_figure(arguments: argparse.Namespace, _: Mapping[str, Any]) -> Figure:
    """The ranking of the schemes that ``python -m bench compare`` has written."""
    return draw_compare(select(selected(arguments, load_table(arguments.run_dir)), scales=arguments.scales))


def draw_phase_figure(arguments: argparse.Namespace, _: Mapping[str, Any]) -> Figure:
    """The plane of one activation; no run is read."""
    weight_stds, bias_stds = (np.concatenate(values).tolist() for values in (arguments.weight_stds, arguments.bias_stds))
    frame = phase_plane(arguments.activation, weight_stds, bias_stds, progress=True)
    figure = plot_phase(frame).get_figure(root=True)
    assert isinstance(figure, Figure)
    return figure


FIGURES: Mapping[str, Command] = MappingProxyType(
    {
        "heatmap": Command(
            "gradient norms over depth and weight scale, a map for each initializer and activation",
            draw_heatmap_figure,
            options.add_heatmap_options,
            "python -m analysis heatmap results/atlas --activations tanh relu --out atlas.pdf",
        ),
        "profile": Command(
            "gradient, cotangent and activation norms against the layer (needs a run with --layers)",
            draw_profile_figure,
            options.add_profile_options,
            "python -m analysis profile results/smoke --depths 64 --scales 0.5 1 2 --activations tanh",
        ),
        "lecture": Command(
            "identity weights, linear activations: measured points on their closed form",
            draw_lecture_figure,
            options.add_lecture_options,
            "python -m analysis lecture results/lecture --out lecture.svg",
        ),
        "compare": Command(
            "initializers ranked by how fast gradients change with depth, beside theory (needs python -m bench compare)",
            draw_compare_figure,
            options.add_compare_options,
            "python -m analysis compare results/compare --activations tanh relu",
        ),
        "phase": Command(
            "mean-field theory's phases of one activation, over the weights' and the biases' standard deviation (no run)",
            draw_phase_figure,
            options.add_phase_options,
            "python -m analysis phase --activation gelu --weight-stds 0.5:3:101 --out gelu.pdf",
            reads="",
        ),
        **TRAINING_FIGURES,
    }
)


def default_file(arguments: argparse.Namespace) -> Path:
    """Where a figure goes without ``--out``: into the run's folder; where there is no run, into the current one."""
    if not FIGURES[arguments.figure].reads:
        return Path(f"{arguments.figure}-{arguments.activation.replace(':', '.').replace('/', '.')}.png")
    name = "residual" if getattr(arguments, "residual", False) else arguments.figure
    return Path(arguments.run_dir) / f"{name}.png"


def _check_residual(arguments: argparse.Namespace, loss: str) -> None:
    """Theory is of one quantity under one loss, and of its mean. Raises SelectionError."""
    if loss != "output":
        raise SelectionError("RUN_DIR", f"loss {loss}", "a run with loss output: theory is of the gradient of y itself")
    if arguments.value != VALUE:
        raise SelectionError("value", arguments.value, f"{VALUE} with --residual: theory is of that")
    for option in ("stat", "limit"):
        if getattr(arguments, option) is not None:
            raise SelectionError(option, getattr(arguments, option), "none with --residual: means, and colours to ±6")
