"""The figures of trainings that the command line draws: what vanishing and exploding gradients cost."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from analysis.cli import options
from analysis.cli.command import TRAINED, Command, selected
from analysis.figures.boundary import boundary_dimension, draw_boundary
from analysis.figures.cost import cost_correlations, draw_cost
from analysis.figures.curves import draw_curves
from analysis.figures.learning_time import choose, draw_learning_times
from analysis.figures.trainability import draw_trainability
from analysis.numbers.depth_scales import describe_thresholds
from analysis.numbers.rate_plane import zoom_arguments, zoomed
from analysis.numbers.reached import describe_growth, learning_times
from analysis.rows.load import load_curves, load_trained
from analysis.rows.select import SelectionError, distinct


def draw_trainability_figure(arguments: argparse.Namespace, manifest: Mapping[str, Any]) -> Figure:
    """Steps to the target over depth and scale, with theory's depth scales; also prints which multiple is the limit."""
    cells = selected(arguments, load_trained(arguments.run_dir), TRAINED)
    for line in describe_thresholds(cells):
        print(line)
    return draw_trainability(
        cells,
        target=manifest["training"]["target"],
        steps=manifest["training"]["steps"],
        correlation=arguments.xi_c,
        gradient=arguments.xi_grad,
        contours=not arguments.no_contours,
    )


def draw_learning_time_figure(arguments: argparse.Namespace, manifest: Mapping[str, Any]) -> Figure:
    """Steps to the target against depth; also prints how much longer the deepest networks learn than the shallowest."""
    cells = choose(selected(arguments, load_trained(arguments.run_dir), TRAINED), arguments.scales)
    target, steps = manifest["training"]["target"], manifest["training"]["steps"]
    figure = draw_learning_times(cells, target=target, steps=steps, scales=arguments.scales)
    for line in describe_growth(learning_times(cells), steps):
        print(line)
    return figure


def draw_curves_figure(arguments: argparse.Namespace, manifest: Mapping[str, Any]) -> Figure:
    """Learning curves, and gradients while training."""
    if arguments.learning_rates and len(arguments.learning_rates) > 1:
        raise SelectionError("learning_rates", arguments.learning_rates, "one: a figure is of one learning rate")
    curves = selected(arguments, load_curves(arguments.run_dir), TRAINED)
    return draw_curves(curves, loss=manifest["training"]["loss"], depths=arguments.depths, scales=arguments.scales)


def draw_cost_figure(arguments: argparse.Namespace, manifest: Mapping[str, Any]) -> Figure:
    """Initial gradients against steps to the target; also prints the rank correlations."""
    cells = selected(arguments, load_trained(arguments.run_dir), TRAINED)
    found = cost_correlations(cells, decades=arguments.decades)
    for side, correlation in found.items():
        print(
            f"Kendall's τ_b of |decades of gradient| with steps to the target, {side}: {correlation} "
            f"(95 % bootstrap over {correlation.settings} settings; {correlation.rows} networks)"
        )
    target, steps = manifest["training"]["target"], manifest["training"]["steps"]
    return draw_cost(cells, target=target, steps=steps, decades=arguments.decades, correlations=found)


def draw_boundary_figure(arguments: argparse.Namespace, _: Mapping[str, Any]) -> Figure:
    """Where training converges, over two learning rates; also prints the boundary's dimension."""
    cells = _one_seed(selected(arguments, load_trained(arguments.run_dir), TRAINED), arguments.seed)
    shown = cells if arguments.zoom is None else zoomed(cells, arguments.zoom)
    dimension = boundary_dimension(shown)
    figure = draw_boundary(shown, dimension=dimension)
    print(f"box-counting dimension of the boundary: {dimension}")
    if arguments.zoom is not None:
        words = zoom_arguments(cells, arguments.zoom)
        print(f"to train this window with as many pixels: the same `python -m bench train` with {words} and another --run")
    return figure


TRAINING_FIGURES: Mapping[str, Command] = MappingProxyType(
    {
        "trainability": Command(
            "steps to the target over depth and weight scale, with the depths that theory says can be trained",
            draw_trainability_figure,
            options.add_trainability_options,
            "python -m analysis trainability results/digits --xi-c 6 --xi-grad 12",
            reads="training",
        ),
        "learning-time": Command(
            "steps to the target against depth, for each initializer at its best learning rate",
            draw_learning_time_figure,
            options.add_training_options,
            "python -m analysis learning-time results/saxe --scales 1",
            reads="training",
        ),
        "curves": Command(
            "loss, accuracy and gradients of the first, middle and last layer while training",
            draw_curves_figure,
            options.add_training_options,
            "python -m analysis curves results/digits --initializers orthogonal --depths 8 32 --scales 0.4 1 2.8",
            reads="training",
        ),
        "cost": Command(
            "decades of gradient at initialization against steps to the target, with the rank correlation",
            draw_cost_figure,
            options.add_cost_options,
            "python -m analysis cost results/digits --out cost.pdf",
            reads="training",
        ),
        "boundary": Command(
            "where training converges, over the learning rates of hidden layers and readout, and the boundary's dimension",
            draw_boundary_figure,
            options.add_boundary_options,
            "python -m analysis boundary results/boundary --zoom 100 300 0.7 1 --out zoom.png",
            reads="training",
        ),
    }
)


def _one_seed(cells: pd.DataFrame, seed: int | None) -> pd.DataFrame:
    """The rows of that seed, by default of the smallest. Raises SelectionError."""
    known = distinct(cells, "seed")
    if seed is not None and seed not in known:
        raise SelectionError("seed", seed, f"one of {', '.join(map(str, known))}")
    return cells.loc[cells["seed"] == (known[0] if seed is None else seed)]
