"""Products of networks multiply what was asked for, and nothing else does."""

import json

import jax
import numpy as np
import pytest

import bench
from bench.arithmetic.numerics import multiplying, settled
from bench.cli.main import main
from bench.engine import angles
from bench.engine.gradients import Lanes, State, backward_segment, forward_segment
from bench.engine.one_block import Layers, pull_back
from bench.networks.activations import ACTIVATIONS
from bench.networks.architectures.architecture import dense
from bench.networks.initializers import Family
from bench.networks.seeds import seed_mesh
from bench.networks.segments import LAYERS, Segment
from bench.networks.unit_variance import gains_program
from bench.settings.errors import SweepError
from bench.sweeps import runner as sweeps
from bench.training.block_network import embed
from bench.training.network import product

SMALL = ["--depths", "2", "9", "--scales", "1", "--widths", "4", "--seeds", "1"]
WORDS = {"full": "[HIGHEST, HIGHEST]", "tf32": "lhs_precision_type = tf32", "bfloat16": "lhs_precision_type = bf16"}


def lowered(function, *arguments):
    """The lines of its products, as a GPU is given them."""
    text = jax.jit(function).trace(*arguments).lower(lowering_platforms=("cuda",)).as_text()
    return [line for line in text.splitlines() if "dot_general" in line]


def ones(*shape):
    return np.ones(shape, np.float32)


def gradient_of_examples(h):
    """Formed, where they are too many for a triangle."""
    layer = Layers({"W": ones(4, 4)}, {"W": ones(4)}, h, np.float32(1))
    return pull_back(lambda layer, h, watch: watch("W", h, dense(layer.matrices["W"], h)), layer, h, h, {})


SEGMENT = Segment(ones(LAYERS, 4, 4), ones(LAYERS), ones(LAYERS, 4))
LANES = Lanes(ones(2), ones(2), ones(2), ones(2))
STATE = ones(1, 2, 4)
FUNCTIONS = {
    "angles": (
        angles.backward_segment,
        *(SEGMENT, ones(LAYERS, 4, 4), ones(4), ones(4, 4), np.int32(0), np.int32(2)),
    ),
    "gradients of examples": (gradient_of_examples, ones(2, 3, 4)),
    "forward": (
        lambda *given: forward_segment(*given, activation=ACTIVATIONS["tanh"]),
        *(SEGMENT, State(ones(2, 4), ones(2)), ones(4), LANES),
    ),
    "backward": (
        backward_segment,
        *(SEGMENT, ones(LAYERS, 2, 4), ones(4), LANES),
        *(ones(3, 2, 4), ones(3, 2), np.ones(3, np.int32), np.int32(0)),
    ),
    "blocks": (lambda w, h: jax.grad(lambda w: dense(w, h).sum())(w), ones(4, 4), STATE),
    "training": (lambda w, h: jax.grad(lambda w: product(w, h).sum())(w), ones(4, 4), STATE[0].T),
    "input": (lambda w, x: embed(w, x, 2), ones(8, 2), STATE[0]),
    "any depth": (lambda w, h: bench.unbounded(jax.grad(lambda w: dense(w, h).sum()))(w), ones(4, 4), STATE),
}


@pytest.mark.parametrize("precision", WORDS)
@pytest.mark.parametrize("name", FUNCTIONS)
def test_products_of_networks_multiply_what_is_asked_for(name, precision):
    with settled("float32"), multiplying(precision):
        lines = lowered(*FUNCTIONS[name])
    assert lines
    assert all(WORDS[precision] in line for line in lines)


def test_draws_multiply_all_bits():
    family = Family(lambda key, shape, dtype: (draw := jax.random.normal(key, shape, dtype)) @ draw)
    with settled("float32"), multiplying("tf32"):
        lines = lowered(lambda key: family.draw(key, (4, 4), np.float32), jax.random.key(0))
    assert lines
    assert all(WORDS["full"] in line for line in lines)


def test_nor_do_gains_that_are_found_on_data():
    segment = Segment(ones(LAYERS, 1, 4, 4), ones(LAYERS, 1), ones(LAYERS, 1, 4))
    with settled("float32"), multiplying("tf32"):
        lines = lowered(gains_program(seed_mesh(1), ACTIVATIONS["tanh"]), segment, ones(1, 3, 4))
    assert lines
    assert all(WORDS["full"] in line for line in lines)


@pytest.mark.parametrize("command", ["sweep", "train", "compare"])
def test_what_this_device_does_not_do_is_one_line_and_nothing_is_written(tmp_path, capsys, command):
    assert main([command, *SMALL, "--precision", "tf32", "--results", str(tmp_path)]) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert "--precision" in error
    assert "full: cpu multiplies in nothing else" in error
    assert not list(tmp_path.iterdir())


def test_a_worker_whose_devices_do_not_do_it_measures_nothing():
    sweep = bench.Sweep(precision="bfloat16")
    with pytest.raises(SweepError, match=r"^precision: got 'bfloat16'"):
        next(iter(sweeps.job_of(sweep).measure([], None)))


@pytest.mark.parametrize(
    ("fields", "words"),
    [({"precision": "half"}, "full, tf32 or bfloat16"), ({"precision": "tf32", "dtype": "float64"}, "full with float64")],
)
@pytest.mark.parametrize("kind", [bench.Sweep, bench.Training, bench.Precision])
def test_settings_refuse_what_there_is_not(kind, fields, words):
    with pytest.raises(SweepError, match=f"^precision: got .*{words}"):
        kind(**fields)


def test_formats_are_held_against_all_bits():
    with pytest.raises(SweepError, match=r"^precision: got 'tf32', expected full"):
        bench.Precision(precision="tf32")


def test_a_run_of_an_earlier_version_multiplied_all_bits(tmp_path):
    sweep = bench.Sweep(depths=2, scales=1.0, widths=4, seeds=1, layers=False)
    run = bench.run(sweep, results=tmp_path, progress=False)
    assert "precision" in repr(run)
    path = run.path / "manifest.json"
    manifest = json.loads(path.read_text())
    del manifest["sweep"]["precision"]
    path.write_text(json.dumps(manifest))
    assert bench.run(sweep, results=tmp_path, progress=False).manifest["sweep"]["precision"] == "full"


def test_it_is_part_of_what_was_measured():
    sweep = bench.Sweep(precision="tf32")
    assert bench.Sweep.from_dict(sweep.to_dict()) == sweep
    assert sweep.to_dict()["precision"] == "tf32"
