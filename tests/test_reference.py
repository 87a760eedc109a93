"""The committed runs behind the README's figures can be made again, and are what they say."""

import dataclasses
import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import bench
from analysis.papers.find import references
from bench.sweeps.presets import PRESETS
from tests.tolerance import EXACT, RELATIVE, run_frame

REFERENCE = Path(__file__).parents[1] / "results" / "reference"
CELL = ["initializer", "activation", "width", "bias_std", "depth", "scale", "seed"]


def committed(name: str) -> pd.DataFrame:
    return pd.read_parquet(REFERENCE / name / "cells")


@pytest.mark.parametrize("name", ["lecture", "atlas"])
def test_a_reference_is_its_preset_whole(name):
    manifest = json.loads((REFERENCE / name / "manifest.json").read_text())
    sweep = bench.Sweep.from_dict(manifest["sweep"] | {"layers": PRESETS[name].sweep.layers})
    assert sweep == PRESETS[name].sweep
    assert manifest["finished"]
    assert manifest["git"]["dirty"] is False
    assert len(committed(name)) == sweep.cells
    assert not committed(name).duplicated(CELL).any()


def test_the_lecture_follows_its_closed_form():
    rows = committed("lecture")
    exact = (rows.depth - 2) * np.log10(rows.scale) + np.log10(rows.width) / 2
    assert (np.abs(rows.log10_grad_first - exact) <= RELATIVE["identity"] * np.maximum(np.abs(exact), 1)).all()


@pytest.mark.parametrize("initializer", ["gaussian", "orthogonal"])
def test_a_part_of_the_atlas_made_again_is_the_same(tmp_path, initializer):
    """Ordered, critical and, for homogeneous activations, every scale: where rounding does not grow with depth."""
    atlas = PRESETS["atlas"].sweep
    part = {"initializers": [initializer], "depths": [depth for depth in atlas.depths if 5 < depth < 130], "seeds": 2}
    again = pd.concat(
        run_frame(tmp_path, name, widths=[64], activations=activations, scales=scales, layers=False, **part)
        for name, activations, scales in [("bounded", ["tanh"], [0.5, 1.0]), ("homogeneous", ["linear", "relu"], [0.8, 2.5])]
    )
    both = again.merge(committed("atlas"), on=CELL, suffixes=("", "_committed"), validate="one_to_one")
    assert len(both) == len(again) > 0
    for value in ("log10_grad_first", "log10_grad_last", "log10_grad_global", "log10_output"):
        error = np.abs(both[value] - both[f"{value}_committed"])
        assert (error <= 10 * EXACT["float32"] * both.depth).all()


@pytest.mark.parametrize("name", ["digits", "saxe", "schoenholz", "boundary", "cure"])
def test_a_training_is_its_preset_whole(name):
    manifest = json.loads((REFERENCE / name / "manifest.json").read_text())
    fields = {key: value for key, value in manifest["training"].items() if key != "data"}
    assert bench.Training.from_dict(fields) == bench.TRAININGS["remedies" if name == "cure" else name].training
    assert manifest["finished"]
    assert manifest["git"]["dirty"] is False
    if name in ("boundary", "cure"):
        return  # of which only the figure is kept
    axes = ("initializers", "activations", "depths", "scales", "widths", "bias_stds", "optimizers", "learning_rates")
    assert len(committed(name)) == fields["seeds"] * np.prod([len(fields[axis]) for axis in axes])


@pytest.mark.thorough
def test_a_part_of_the_digits_trained_again_learns_the_same(tmp_path):
    """Shallow networks, which do not amplify rounding much: other machines sum in other orders."""
    part = {"initializers": ["orthogonal"], "depths": [2, 4], "scales": [1.0], "learning_rates": [0.1], "curves": False}
    digits = dataclasses.replace(bench.TRAININGS["digits"].training, **part)
    again = pd.read_parquet(bench.train(digits, results=tmp_path, progress=False) / "cells")
    both = again.merge(committed("digits"), on=[*CELL, "learning_rate"], suffixes=("", "_committed"), validate="one_to_one")
    assert len(both) == len(again) == 6
    for value, tolerance in (("log10_grad_first", 1e-5), ("final_train_loss", 1e-3), ("test_accuracy", 0.01)):
        assert (np.abs(both[value] - both[f"{value}_committed"]) <= tolerance).all()
    assert (np.abs(both.steps_to_target - both.steps_to_target_committed) <= 1).all()


def test_the_references_are_small():
    assert sum(path.stat().st_size for path in REFERENCE.rglob("*") if path.is_file()) < 12_500_000


def test_the_gallery_has_every_paper_and_the_readme_says_how_many_claims_hold():
    table = pd.read_csv(REFERENCE / "papers" / "table.csv")
    names = set(references())
    assert set(table.paper) == names == {path.stem for path in (REFERENCE / "papers").glob("*.png")}
    assert (table["size"] == "quick").all()
    counts = table.verdict.value_counts()
    said = (
        f"of {len(table)} claims of {len(names)} papers, {counts['reproduced']} are reproduced, {counts['differs']} differ, "
    )
    said += f"{counts['not resolved']} are not resolved, and {counts['out of scope']} are out of scope"
    readme = " ".join((REFERENCE.parents[1] / "README.md").read_text(encoding="utf-8").split())
    assert said in readme
    named = re.search(r"Those that differ are of ([^:]+):", readme)
    assert named is not None
    differing = {name: int(count or 1) for name, count in re.findall(r"`(\w+)`(?: \((\d+)\))?", named[1])}
    assert differing == table[table.verdict == "differs"].paper.value_counts().to_dict()


def test_a_verdict_is_where_the_interval_lies():
    table = pd.read_csv(REFERENCE / "papers" / "table.csv")
    measured = table[table.verdict != "out of scope"]
    within = (measured.low >= measured.accepts_low) & (measured.high <= measured.accepts_high)
    outside = (measured.high < measured.accepts_low) | (measured.low > measured.accepts_high)
    expected = np.select([within, outside], ["reproduced", "differs"], "not resolved")
    assert (measured.verdict == expected).all()
    assert measured.ours.between(measured.low, measured.high).all()
