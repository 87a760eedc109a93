"""Small runs made by hand, with known values."""

import json
from functools import cache

import numpy as np
import pandas as pd
import pytest
from matplotlib.mathtext import MathTextParser


@pytest.fixture(autouse=True, scope="session")
def _formulas_are_parsed_once():
    """Matplotlib keeps what it has parsed for one figure; of hundreds of small ones it parses the same formulas anew."""
    parse = MathTextParser._parse_cached.__wrapped__  # pyright: ignore[reportAttributeAccessIssue]
    outputs = {"raster": "agg", "vector": "path"}
    kept = cache(lambda output, *arguments: parse(MathTextParser(outputs[output]), *arguments))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(MathTextParser, "_parse_cached", lambda self, *arguments: kept(self._output_type, *arguments))
        yield


def make_cells(
    depths=(2, 10, 100, 852),
    scales=(0.5, 1.0, 2.0),
    seeds=3,
    *,
    initializers=("gaussian",),
    activations=("linear",),
    widths=(4,),
    bias_stds=(0.0,),
    input_norms=(),
    architectures=(),
    log10_norm=lambda rows: (rows["depth"] - 2) * np.log10(rows["scale"]) + 0.01 * rows["seed"],
):
    index = pd.MultiIndex.from_product(
        [initializers, activations, widths, bias_stds, depths, scales, range(seeds)],
        names=["initializer", "activation", "width", "bias_std", "depth", "scale", "seed"],
    )
    frame = index.to_frame(index=False)
    if input_norms:  # older runs have no such column
        frame = frame.merge(pd.DataFrame({"input_norm": input_norms}), how="cross")
    if architectures:
        frame = frame.merge(pd.DataFrame({"architecture": architectures}), how="cross")
    # Shards come in the order of their measurement, not sorted.
    frame = frame.sample(frac=1, random_state=np.random.RandomState(0), ignore_index=True)
    for column in ("log10_grad_first", "log10_grad_last", "log10_grad_global", "log10_output"):
        frame[column] = log10_norm(frame).astype(float)
    return frame


def make_layers(depths=(3, 6), scales=(0.5, 1.0, 2.0), seeds=3, **axes):
    cells = make_cells(depths, scales, seeds, **axes)
    frame = cells.loc[cells.index.repeat(cells["depth"])].drop(columns=[c for c in cells if c.startswith("log10")])
    frame["layer"] = frame.groupby(level=0).cumcount() + 1
    frame = frame.reset_index(drop=True)
    slope = np.log10(frame["scale"])
    frame["log10_grad"] = (frame["depth"] - 2) * slope + 0.1 * frame["seed"]
    frame["log10_delta"] = (frame["depth"] - frame["layer"]) * slope + 0.1 * frame["seed"]
    frame["log10_activation"] = frame["layer"] * slope + 0.1 * frame["seed"]
    return frame


def make_trained(
    depths=(2, 8, 32),
    scales=(0.5, 1.0, 2.0),
    learning_rates=(0.01, 0.1),
    seeds=3,
    *,
    initializers=("gaussian",),
    activations=("tanh",),
    optimizers=("sgd",),
    widths=(32,),
    steps=200,
    steps_to_target=lambda rows: 2 * rows["depth"] / rows["scale"] + rows["seed"],
):
    """Rows of a training: what is slower than ``steps`` never reaches the target; gradients lose scale^(L-2)."""
    index = pd.MultiIndex.from_product(
        [initializers, activations, optimizers, widths, depths, scales, learning_rates, range(seeds)],
        names=["initializer", "activation", "optimizer", "width", "depth", "scale", "learning_rate", "seed"],
    )
    frame = index.to_frame(index=False).assign(task="digits", bias_std=0.0, schedule="constant", clip=0.0)
    frame = frame.sample(frac=1, random_state=np.random.RandomState(0), ignore_index=True)
    frame["readout_learning_rate"] = frame["learning_rate"]
    needed = steps_to_target(frame).astype(float)
    frame["steps_to_target"] = np.where(needed < steps, needed, np.inf)
    frame["diverged_at"] = np.inf
    frame["convergence"] = -1.0
    for name in ("final_train_loss", "test_loss"):
        frame[name] = 0.5
    for name in ("final_train_accuracy", "test_accuracy"):
        frame[name] = 0.8
    frame["log10_grad_last"] = 0.01 * frame["seed"]
    decades = np.log10(np.maximum(frame["scale"], 1e-300))
    frame["log10_grad_first"] = (frame["depth"] - 2) * decades + 0.01 * frame["seed"]
    frame["log10_update_ratio"] = frame["log10_grad_first"] + np.log10(frame["learning_rate"])
    return frame


def make_curves(*args, recorded=(0, 1, 2, 5, 10, 20, 50, 100, 199), **axes):
    """Learning curves of the same networks: losses fall as 1/(1 + t), gradients come back to 1."""
    cells = make_trained(*args, **axes)
    frame = cells.loc[cells.index.repeat(len(recorded))].reset_index(drop=True)
    frame["step"] = np.tile(recorded, len(cells))
    frame["loss"] = 2.3 / (1 + frame["step"] / frame["depth"])
    frame["accuracy"] = 1 - frame["loss"] / 2.6
    frame["log10_grad_first"] = frame["log10_grad_first"] / (1 + frame["step"])
    frame["log10_grad_middle"] = frame["log10_grad_first"] / 2
    keep = [name for name in frame if name not in ("convergence", "diverged_at", "steps_to_target")]
    return frame[[name for name in keep if not name.startswith(("final", "test"))]]


def write_training(folder, cells, curves=None, **fields):
    """The folder of a training."""
    training = {"target": "accuracy=0.9", "loss": "cross_entropy", "steps": 200, **fields}
    write_run(folder, cells, curves=curves, sweep=None, training=training)
    return folder


def write_run(folder, cells, layers=None, curves=None, **manifest):
    folder.mkdir()
    for kind, frame in {"cells": cells, "layers": layers, "curves": curves}.items():
        if frame is not None:
            (folder / kind).mkdir(parents=True)
            half = len(frame) // 2
            frame.iloc[:half].to_parquet(folder / kind / "chunk-00000.parquet")
            frame.iloc[half:].to_parquet(folder / kind / "chunk-00001.parquet")
    content = {"sweep": {"loss": "output"}, "finished": "2026-01-01T00:00:00+00:00", **manifest}
    (folder / "manifest.json").write_text(json.dumps(content))
    return folder


@pytest.fixture
def run_dir(tmp_path):
    """A run with cells and layers: one initializer, two activations."""
    axes = {"activations": ("tanh", "relu")}
    return write_run(tmp_path / "run", make_cells(depths=(2, 3, 6), **axes), make_layers(**axes))


def lecture_cells(depths=(2, 10, 152, 852), scales=(0.5, 1.0, 1.5), seeds=2, readout=1.3, width=2):
    """Exactly what the closed form says, with |u·x| = readout + seed."""
    frame = make_cells(
        depths, scales, seeds, initializers=("identity",), widths=(width,), log10_norm=lambda rows: rows["depth"]
    )
    with np.errstate(divide="ignore", invalid="ignore"):
        slope = np.log10(frame["scale"])
        frame["log10_output"] = (frame["depth"] - 1) * slope + np.log10(readout + frame["seed"])
        growth = np.where(frame["depth"] == 2, 0.0, (frame["depth"] - 2) * slope)
    frame["log10_grad_first"] = growth + np.log10(np.sqrt(width))
    return frame


def make_table(activation="tanh", *, width=64, slope=0.05):
    """What bench compare writes: a scheme that agrees, one that differs, one without theory, one without gradients."""
    nan = np.nan
    rows = [
        # initializer, slope, predicted, rank, verdict, dead
        ("he_normal", slope, 0.06, 4.0, "differs", 0),
        ("gaussian", -0.002, -0.0021, 2.0, "agrees", 0),
        ("zero", nan, nan, nan, "undefined", 1.0),
        ("orthogonal", 0.0001, 0.0, 1.0, "agrees", 0),
        ("lsuv", -0.02, nan, 3.0, "no theory", 0.125),
    ]
    frame = pd.DataFrame(rows, columns=["initializer", "slope", "predicted", "rank", "verdict", "dead"])
    for column in ("slope", "predicted"):
        frame[f"{column}_low"], frame[f"{column}_high"] = frame[column] - 0.0003, frame[column] + 0.0003
    return frame.assign(activation=activation, width=width, bias_std=0.0, scale=1.0, depth=852, seeds=8, depth_1e3=np.inf)
