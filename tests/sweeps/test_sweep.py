"""Sweeps check themselves, ranges parse, presets cannot change."""

import dataclasses
import json
import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from bench.settings.errors import SweepError
from bench.settings.ranges import parse
from bench.sweeps.presets import PRESETS
from bench.sweeps.sweep import Sweep


def row(key, shape, dtype):
    """An initializer that would broadcast."""
    del key
    return jnp.ones((1, shape[1]), dtype)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("depths", [1]),
        ("depths", [2.5]),
        ("depths", []),
        ("depths", "abc"),
        ("depths", 1),
        ("depths", None),
        ("widths", [0]),
        ("scales", [-1.0]),
        ("scales", [math.nan]),
        ("scales", [math.inf]),
        ("scales", ["1"]),
        ("bias_stds", [-0.1]),
        ("input_norms", [0.0]),
        ("input_norms", [1.0, -2.0]),
        ("input_norms", [math.nan]),
        ("correlations", [1.5]),
        ("correlations", [math.nan]),
        ("correlations", "all"),
        ("seeds", 0),
        ("seeds", True),
        ("key", -1),
        ("key", 2**32),
        ("loss", "hinge"),
        ("dtype", "float16"),
        ("layers", 1),
        ("initializers", ["gausian"]),
        ("activations", [len]),
        ("activations", ["no.such.module:thing"]),
        ("activations", ["math:pi"]),
        ("activations", ["jax.nn:softmax"]),
        ("activations", ["..a:b"]),
        ("initializers", ["jax.numpy:zeros"]),
        ("initializers", ["tests.test_sweep:row"]),
        ("depths", [10**22]),
        ("seeds", 10**20),
        ("loss", []),
    ],
)
def test_what_cannot_be_measured_is_refused_by_name_and_value(field, value):
    with pytest.raises(SweepError, match=rf"^{field}: got .*, expected ") as caught:
        Sweep(**{field: value})
    assert caught.value.field == field
    assert "\n" not in str(caught.value)


def test_unknown_names_come_with_the_nearest_known_one():
    with pytest.raises(SweepError, match="did you mean gaussian"):
        Sweep(initializers=["gausian"])
    with pytest.raises(SweepError, match="one of the fields"):
        Sweep.from_dict({"sedes": 3})


def test_values_are_settled_and_cells_counted():
    sweep = Sweep(depths=[5, 2, 5.0], scales=[2, 1, 1.0], seeds=3.0, initializers=("gaussian", "gaussian"))
    assert (sweep.depths, sweep.scales, sweep.seeds, sweep.initializers) == ((2, 5), (1.0, 2.0), 3, ("gaussian",))
    assert sweep.cells == 2 * 2 * 3
    assert Sweep.from_dict(sweep.to_dict()) == sweep


def test_a_single_value_an_array_and_a_range_are_sequences():
    plain = Sweep(
        initializers=["he_normal"], activations=["relu"], depths=[10], scales=[1.5], widths=[4, 5], bias_stds=[0.5]
    )
    assert plain == Sweep(
        initializers="he_normal",
        activations=np.array(["relu"]),
        depths=10,
        scales=np.float32(1.5),
        widths=range(4, 6),
        bias_stds=np.array(0.5),
    )
    callables = Sweep(initializers=jax.nn.initializers.he_normal(), activations=[jax.nn.gelu, jnp.tanh, lambda z: z**3])
    assert callables.activations[:2] == ("jax.nn:gelu", "tanh")
    assert Sweep.from_dict(json.loads(json.dumps(callables.to_dict()))) == callables
    assert hash(callables) == hash(Sweep(initializers=jax.nn.initializers.he_normal(), activations=callables.activations))


@pytest.mark.parametrize(
    ("text", "whole", "numbers"),
    [
        ("7", True, [7]),
        ("1e-3", False, [0.001]),
        ("0.5:1.5:3", False, [0.5, 1.0, 1.5]),
        ("0:0.3:4", False, [0.0, 0.1, 0.2, 0.3]),
        ("2:852:32log", True, None),
        ("2:4:9", True, [2, 3, 4]),
        ("1:100:3log", False, [1.0, 10.0, 100.0]),
    ],
)
def test_numbers_and_ranges(text, whole, numbers):
    parsed = parse("depths", text, whole=whole)
    if numbers is None:
        assert (parsed[0], parsed[-1], len(parsed)) == (2, 852, 30)  # 32, of which the smallest coincide
    else:
        assert parsed == numbers


@pytest.mark.parametrize(
    "text", ["", "x", "1:2", "5:1:4", "1:5:0", "1:5:1", "0:5:3log", "nan:1:3", "1:2:3:4", "1:2:99999999"]
)
def test_bad_ranges_are_refused(text):
    with pytest.raises(SweepError, match=r"^scales: got "):
        parse("scales", text, whole=False)


def test_presets_are_immutable_and_what_they_say():
    with pytest.raises(TypeError):
        PRESETS["mine"] = PRESETS["smoke"]  # pyright: ignore[reportIndexIssue]
    with pytest.raises(dataclasses.FrozenInstanceError):
        PRESETS["smoke"].sweep.seeds = 9  # pyright: ignore[reportAttributeAccessIssue]
    atlas = PRESETS["atlas"].sweep
    assert (len(atlas.scales), atlas.depths[0], atlas.depths[-1], atlas.widths, atlas.seeds) == (41, 2, 852, (64,), 8)
    assert not atlas.layers
    lecture = PRESETS["lecture"].sweep
    assert lecture.scales == (0.5, 0.9, 1.0, 1.1, 1.5)
    assert {152, 852} <= set(lecture.depths)
