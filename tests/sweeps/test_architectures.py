"""Sweeps of networks with other blocks: their rows, what theory expects of them, and what is refused."""

import sys
import types
from typing import Any

import jax.numpy as jnp
import numpy as np
import pandas as pd
import pytest
from jax import lax

import bench
from bench.cli.main import main
from bench.networks.architectures.architecture import Step
from bench.networks.architectures.registry import ARCHITECTURES, architecture_of
from bench.networks.blocks import with_others
from bench.networks.draws import draw_networks
from bench.settings.catalog import architectures
from bench.sweeps.runner import check
from bench.theory import block_trajectory
from tests.tolerance import run_frame

FIELDS: dict[str, Any] = {
    "activations": ["relu"],
    "initializers": ["he_gaussian"],
    "widths": [64],
    "scales": [1.0],
    "seeds": 8,
}
DEPTH = 12
DECADES = 0.3  # between the median over seeds and mean field: O(L / n), and 8 seeds
QUICK = ("residual",)
KNOWN = (
    *QUICK,
    *("pre_layernorm", "normed:after=true"),
    *("residual:alpha=1/sqrt(L)", "residual2", "residual2:alpha=1/L", "normed", "normed:after=true,norm=rms"),
    *("pre_layernorm:scaling=1/sqrt(l)", "post_layernorm"),
)


def layers_of(tmp_path, name, depth=DEPTH, **fields) -> pd.DataFrame:
    return run_frame(tmp_path, kind="layers", architectures=[name], depths=[depth], **(FIELDS | fields))


@pytest.mark.parametrize("name", [pytest.param(name, marks=() if name in QUICK else pytest.mark.thorough) for name in KNOWN])
def test_blocks_are_what_mean_field_theory_expects(tmp_path, name):
    layers = layers_of(tmp_path, name)
    hidden = layers[layers.layer < DEPTH].groupby("layer").median(numeric_only=True)
    law: Any = block_trajectory(name, "relu", np.sqrt(2), DEPTH, 64, cosines=False)
    for column in ("log10_activation", "log10_delta", "log10_grad"):
        np.testing.assert_allclose(hidden[column], getattr(law, column), atol=DECADES)
    assert (layers.architecture == name).all()


@pytest.mark.thorough
def test_blocks_of_several_positions_are_what_theory_expects_and_grow_as_alike(tmp_path):
    """Medians and means over seeds within O(L/n); cosines as theory's."""
    names = ("transformer:norm=post", "batchnorm", "conv:padding=zero", "highway")
    fields = FIELDS | {"architectures": names, "depths": [DEPTH], "batch": 2, "length": 4}
    layers, cells = (run_frame(tmp_path, kind, kind=kind, **fields) for kind in ("layers", "cells"))
    for name in names:
        law: Any = block_trajectory(name, "relu", np.sqrt(2), DEPTH, 64, batch=2, length=4)
        rows = layers[(layers.architecture == name) & (layers.layer < DEPTH)]
        hidden = rows.groupby("layer").median(numeric_only=True)
        for column in ("log10_activation", "log10_delta", "log10_grad"):
            np.testing.assert_allclose(hidden[column], law._asdict()[column], atol=DECADES)
        measured = cells[cells.architecture == name].cosine
        if "zero" not in name:
            assert abs(measured.mean() - law.cosine[-1]) < 4 * measured.std() / np.sqrt(8) + 0.05


def test_a_residual_network_of_852_blocks_is_far_beyond_floats_and_on_its_law(tmp_path):
    layers = layers_of(tmp_path, "residual", 852, seeds=2)
    first = layers[layers.layer == 1].log10_grad
    trajectory: Any = block_trajectory("residual", "relu", np.sqrt(2), 852, 64)
    law = trajectory.log10_grad[0]
    assert law > 128  # its square is beyond float32 and near the end of float64
    np.testing.assert_allclose(first.median(), law, rtol=0.05)


@pytest.mark.thorough
def test_batch_norm_of_852_blocks_explodes_at_its_rate(tmp_path):
    """Yang et al. 2019, arXiv 1902.08129: some 86 decades for a batch of 16, which float32 has not."""
    sizes = {"batch": 16, "widths": [32], "seeds": 2}
    found = layers_of(tmp_path, "batchnorm", 852, **sizes).query("layer == 1").log10_grad
    trajectory: Any = block_trajectory("batchnorm", "relu", np.sqrt(2), 852, 32, batch=16, cosines=False)
    law = trajectory.log10_grad[0]
    assert law > 80
    np.testing.assert_allclose(found.median(), law, rtol=0.05)


@pytest.mark.thorough
def test_a_recurrent_matrix_of_spectral_radius_one_half_shrinks_2000_steps_to_its_power(tmp_path):
    """|λ| = 0.5 for all eigenvalues of 0.5 Q: ‖∂y/∂h_l‖ = 0.5^(T - l), 602 decades."""
    fields = {"activations": ["linear"], "initializers": ["orthogonal"], "scales": [0.5], "widths": [8], "seeds": 1}
    hidden = layers_of(tmp_path, "rnn:inputs=0", 2001, **fields).query("layer <= 2000")
    np.testing.assert_allclose(hidden.log10_delta, (2000 - hidden.layer) * np.log10(0.5), atol=1e-3)


@pytest.mark.thorough
def test_a_spectral_radius_that_is_asked_for_is_had_whatever_the_scheme(tmp_path):
    """Far from the end only the largest eigenvalue is left: scale · r to the power of steps, but for a bounded factor."""
    fields = {"activations": ["linear"], "widths": [8], "scales": [0.5, 2.0], "seeds": 3}
    schemes = {"initializers": ["he_gaussian", "torch_linear"], "bias_stds": [0]}
    layers = layers_of(tmp_path, "rnn:inputs=0,spectral_radius=0.5", 2001, **fields, **schemes)
    delta = layers.pivot_table(index="layer", columns=["initializer", "scale", "seed"], values="log10_delta", observed=True)
    rate = (delta.loc[1] - delta.loc[1800]) / 1799
    assert len(rate) == 12
    np.testing.assert_allclose(rate, np.log10(0.5 * rate.index.get_level_values("scale")), atol=2e-3)


def test_a_network_alone_has_the_bits_it_has_in_company(tmp_path):
    name = "residual"  # whose programs are compiled above
    fields: dict[str, Any] = FIELDS | {"architectures": ["plain", name], "initializers": ["gaussian", "he_gaussian"]}
    whole = run_frame(tmp_path, "whole", **fields | {"depths": [2, 9, 30], "scales": [0.7, 1.0], "seeds": 2})
    alone = run_frame(tmp_path, "alone", **FIELDS | {"architectures": [name], "depths": [9], "seeds": 1})
    keys = ["architecture", "initializer", "depth", "scale", "seed"]
    found: Any = alone[keys].merge(whole, on=keys, how="left", validate="one_to_one")
    pd.testing.assert_frame_equal(alone, found[alone.columns.tolist()], check_exact=True)


def test_what_has_a_name_is_listed_without_running_it():
    assert list(architectures()) == list(ARCHITECTURES)
    for name, make in ARCHITECTURES.items():
        assert make().name == name


MODULE = "own_blocks_of_a_test"


@pytest.fixture
def own(monkeypatch) -> Any:
    """A module of a user's."""
    module: Any = types.ModuleType(MODULE)
    monkeypatch.setitem(sys.modules, MODULE, module)
    module.grows = lambda h, weights, step: jnp.concatenate([step.phi(weights["W"](h)), h], axis=1)
    module.raises = lambda h, weights, step: step.phi(weights["W"](h)) + 1 / 0
    module.block = lambda h, weights, step: h + step.phi(weights["W"](h)) / 2
    module.made = lambda: bench.Architecture("made", module.block)
    made: Any = bench.Architecture
    module.listed = made("listed", module.block, shapes=lambda width: [(width, width)])
    module.cube = made("cube", module.block, shapes=lambda _width: {"W": (2, 2, 2)})
    module.stray = made("stray", module.block, factors=lambda _depth: {"V": 2.0})
    module.divides = made("divides", module.block, factors=lambda depth: {"W": depth / 0})
    module.narrow = made("narrow", module.block, read=lambda h: h[..., :1])
    module.unsure = made("unsure", module.block, check=lambda _width, _batch, _length: "no")
    module.number = 3
    return module


@pytest.mark.usefixtures("own")
@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"architectures": ["residuel"]}, "architectures: got 'residuel', expected one of plain.*did you mean residual"),
        ({"architectures": ["residual:beta=1"]}, "expected arguments of residual: alpha"),
        ({"architectures": ["residual:alpha=half"]}, "expected residual's alpha: a finite number, or 1/sqrt.L. or 1/L"),
        ({"architectures": ["plain:alpha=1"]}, "expected plain without arguments"),
        ({"architectures": ["transformer:heads=0"]}, "expected transformer's heads: a whole number from 1"),
        ({"architectures": ["transformer:heads=3"]}, "heads=3' beside widths=64, expected a width that is a multiple of"),
        ({"architectures": ["transformer:norm=never"]}, "expected transformer's norm: pre or post or sandwich or none"),
        ({"architectures": ["batchnorm"]}, "got 'batchnorm' beside batch=1, expected a batch of 2 or more"),
        (
            {"architectures": ["conv"], "length": 2},
            "got 'conv' beside length=2, expected a length of 3 or more, for kernels of 3",
        ),
        ({"architectures": ["conv:dims=2"], "length": 10}, "dims=2' beside length=10, expected a length that is a square"),
        ({"architectures": [f"{MODULE}:listed"]}, r"expected shapes.width. of an Architecture.*\(AttributeError"),
        ({"architectures": [f"{MODULE}:cube"]}, r"expected shapes.width. of an Architecture.*\(2, 2, 2\)} came back"),
        ({"architectures": [f"{MODULE}:stray"]}, r"a number for each of W, or for some \(ValueError: V is 2.0"),
        ({"architectures": [f"{MODULE}:divides"]}, r"factors.depth. and radii of an Architecture.*\(ZeroDivisionError"),
        (
            {"architectures": [f"{MODULE}:narrow"]},
            r"a read.h. of an Architecture that returns \[1, 1, 64\].*\[1, 1, 1\] came",
        ),
        ({"architectures": [f"{MODULE}:unsure"]}, r"expected check\(width, batch, length\) of an Architecture: None, or"),
        ({"architectures": [3]}, "architectures: got 3, expected names with arguments"),
        ({"architectures": ["nowhere:block"]}, "architectures: got 'nowhere:block', expected package.module:attribute"),
        ({"architectures": [f"{MODULE}:number"]}, "this is of type int"),
        ({"architectures": [f"{MODULE}:grows"]}, "a block that hands on what it is given.*came back"),
        ({"architectures": [f"{MODULE}:raises"]}, "ZeroDivisionError"),
        ({"architectures": ["residual"], "initializers": ["lsuv"]}, "initializers: got 'lsuv', expected no scheme that is"),
        ({"architectures": ["residual"], "correlations": [0.5]}, "correlations: got 0.5, expected none where"),
        ({"architectures": ["transformer"], "initializers": ["delta_orthogonal"]}, "expected one for the 256 × 64 matrices"),
        ({"architectures": ["residual2:init=rezero,alpha=5"]}, "residual2's alpha: none beside init=rezero"),
        ({"architectures": ["lstm:chrono=4,forget_bias=2"]}, "lstm's forget_bias: none beside chrono"),
        ({"architectures": ["rnn:spectral_radius=-1"]}, "expected rnn's spectral_radius: a finite number ≥ 0"),
        ({"architectures": ["lstm:chrono=1"]}, "expected lstm's chrono: 0 .none. or a number ≥ 2"),
        (
            {"architectures": ["transformer"], "length": 20_000},
            "length: got 20000, expected what fits.*16 blocks compute at width 64 of transformer, for 1 × 20000 examples",
        ),
        (
            {"architectures": ["residual"], "batch": 1_000_000, "depths": 852},
            "batch: got 1000000, expected what fits.*depth 852 at width 64 of residual, for 1000000 × 1 examples",
        ),
        ({"batch": 0}, "batch: got 0, expected a whole number ≥ 1"),
    ],
)
def test_what_cannot_be_measured_is_one_line(fields, message):
    with pytest.raises(bench.SweepError, match=message) as caught:
        check(bench.Sweep(**fields))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["residual", "lstm", "transformer"])
def test_blocks_are_tried_in_the_dtype_that_they_are_measured_in(name):
    check(bench.Sweep(architectures=(name,), dtype="float64"))
    bench.plan(bench.Training(architectures=(name,), dtype="float64"))


def test_a_bad_architecture_is_refused_before_anything_is_written(tmp_path, capsys):
    assert main(["sweep", "--architectures", "residual:alpha=x", "--results", str(tmp_path)]) == 2
    assert capsys.readouterr().err.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("command", ["sweep", "train", "compare"])
@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("conv:kernel=4", "got 'conv:kernel=4' beside --length 1, expected a length of 4 or more, for kernels of 4"),
        (
            "batchnorm",
            "got 'batchnorm' beside --batch 1, expected a batch of 2 or more to normalize over, or several positions",
        ),
        (
            "transformer:heads=7",
            "got 'transformer:heads=7' beside --widths 8, expected a width that is a multiple of its 7 heads",
        ),
    ],
)
def test_the_line_names_the_architecture_that_was_given(tmp_path, capsys, command, name, told):
    where = ["--results", str(tmp_path), "--batch", "1", "--widths", "8"]
    assert main([command, "--architectures", name, *where]) == 2
    assert capsys.readouterr().err == f"bench {command}: error: --architectures: {told}\n"


@pytest.mark.usefixtures("own")
def test_a_block_of_ones_own_is_measured_as_the_suites(tmp_path):
    names = [f"{MODULE}:made", "residual:alpha=0.5"]
    fields = {"activations": ["tanh"], "widths": [4], "depths": [2, 5], "scales": [1.0], "seeds": 2}
    cells = run_frame(tmp_path, architectures=names, **fields)
    tables: Any = [cells[cells.architecture == name].drop(columns="architecture").reset_index(drop=True) for name in names]
    pd.testing.assert_frame_equal(*tables)


def test_a_block_of_ones_own_needs_no_value_behind_the_last(tmp_path, own):
    """There the root is of a negative number; of both parts of a state."""

    def two(clip):
        def block(state, weights, step):
            h, c = state
            root = jnp.sqrt(clip(9.5 - step.layer))
            return h + root * jnp.tanh(weights["W"](h)), c + root * h

        return bench.Architecture("two", block, start=lambda x: (x, x))

    own.behind, own.before = (lambda: two(lambda left: left)), (lambda: two(jnp.abs))
    fields = {"activations": ["tanh"], "widths": [4], "depths": [4, 9], "scales": [1.0], "seeds": 1}
    cells = run_frame(tmp_path, architectures=[f"{MODULE}:{name}" for name in ("behind", "before")], **fields)
    expected, found = (rows.drop(columns="architecture").reset_index(drop=True) for _, rows in cells.groupby("architecture"))
    pd.testing.assert_frame_equal(found, expected)
    assert np.isfinite(found["log10_grad_first"]).all()


def test_a_block_that_chooses_between_two_programs_is_exact_beyond_floats(tmp_path, own):
    """That is a move between shardings to JAX, which was done in floats."""

    def chooses(h, weights, step):
        return lax.cond(step.layer % 2 > 0.5, lambda: 3 * weights["W"](h), lambda: h)

    own.chooses, own.both = chooses, lambda h, weights, step: jnp.where(step.layer % 2 > 0.5, 3 * weights["W"](h), h)
    fields = {"activations": ["linear"], "widths": [4], "depths": [2, 400], "scales": [9.0], "seeds": 1}
    cells = run_frame(tmp_path, architectures=[f"{MODULE}:{name}" for name in ("chooses", "both")], **fields)
    found, expected = (rows["log10_grad_first"].to_numpy() for _, rows in cells.groupby("architecture", sort=False))
    np.testing.assert_allclose(found, expected, rtol=1e-6)
    assert found.max() > 200


def test_a_class_or_function_that_makes_a_block_stands_for_it(own):
    class Kind:
        def __call__(self, h, weights, step):
            return own.block(h, weights, step) / step.depth

    own.Kind, own.factory = Kind, lambda: own.block
    assert architecture_of(f"{MODULE}:Kind").by_depth
    assert isinstance(architecture_of(f"{MODULE}:Kind").block, Kind)
    assert architecture_of(f"{MODULE}:Kind") is architecture_of(f"{MODULE}:Kind")
    assert architecture_of(f"{MODULE}:factory").block is own.block


@pytest.mark.usefixtures("own")
def test_depths_of_a_bare_function_share_their_passes_unless_it_looks_at_them():
    module: Any = sys.modules[MODULE]
    module.looks = lambda h, weights, step: h + weights["W"](h) / step.depth
    assert not architecture_of(f"{MODULE}:block").by_depth
    assert not architecture_of(f"{MODULE}:block").driven
    assert architecture_of(f"{MODULE}:looks").by_depth


EXAMPLES: dict[str, Any] = {"batch": 2, "length": 4}


def test_cosines_of_vectors_that_all_blocks_stretch_alike_are_those_of_the_inputs(tmp_path):
    """h + W h with W = 1 at scale 1: 2 h."""
    fields = {"architectures": ["residual"], "activations": ["linear"], "initializers": ["identity"], "widths": [8]}
    cells = run_frame(tmp_path, **fields, **EXAMPLES, depths=[2, 30], scales=[1.0], seeds=2)
    inputs = with_others(draw_networks(0, 8, [0, 1], "float32").inputs, 0, [0, 1], *EXAMPLES.values())
    units = inputs[:, 0] / np.linalg.norm(inputs[:, 0], axis=-1, keepdims=True)
    expected = np.einsum("stn,sn->s", units[:, :-1], units[:, -1]) / 3
    for _, rows in cells.groupby("depth"):
        np.testing.assert_allclose(rows.sort_values("seed").cosine, expected, atol=1e-6)


@pytest.mark.thorough
def test_a_delta_orthogonal_convolution_keeps_all_lengths(tmp_path):
    """Xiao et al. 2018, arXiv 1806.05393: an isometry, at any depth and size of the kernel."""
    fields = {"architectures": ["conv"], "activations": ["linear"], "initializers": ["delta_orthogonal"], "widths": [8]}
    layers = run_frame(tmp_path, kind="layers", **fields, **EXAMPLES, depths=[30], scales=[1.0], seeds=2)
    hidden = layers[layers.layer < 30]
    np.testing.assert_allclose(hidden.log10_delta, 0, atol=1e-5)
    np.testing.assert_allclose(hidden.log10_activation, np.log10(2 * 4 * 8) / 2, atol=1e-5)


def test_chrono_spreads_how_long_units_remember():
    """Forget gates t/(1 + t) at times t from 1 to T - 1: Tallec & Ollivier 2018, arXiv 1804.11188, eq. 16."""
    ones = jnp.ones((1, 1, 4))
    still = dict.fromkeys("WU", lambda _h: jnp.zeros((1, 1, 16)))
    _, c = architecture_of("lstm:chrono=10").block(
        (ones, ones), still, Step(jnp.ones(()), jnp.full((), 2.0), jnp.tanh, ones)
    )
    times = np.array([2, 4, 6, 8])
    np.testing.assert_allclose(c[0, 0], times / (1 + times), rtol=1e-6)


def test_what_a_run_of_somebody_else_names_is_not_imported():
    with pytest.raises(bench.SweepError, match="names of the suite's own"):
        bench.Sweep.from_dict({"architectures": ["antigravity:block"]})
    assert "antigravity" not in sys.modules


@pytest.mark.parametrize("own", [f"{MODULE}:deep", f"{MODULE}:reads"])
def test_a_block_says_what_it_looks_at(monkeypatch, own):
    """Depths would share a forward pass that is of none of them, and inputs would be zero."""
    module: Any = types.ModuleType(MODULE)
    monkeypatch.setitem(sys.modules, MODULE, module)
    module.deep = bench.Architecture("deep", lambda h, weights, step: h + weights["W"](h) / step.depth)
    module.reads = bench.Architecture("reads", lambda h, weights, step: weights["W"](h) + step.input)
    with pytest.raises(
        bench.SweepError, match=r"expected an Architecture with (by_depth|driven)=True, since its block looks"
    ):
        check(bench.Sweep(architectures=own))


def test_theory_takes_arguments_as_a_sweep_does():
    assert block_trajectory("residual", "relu", 0.0, 5, 8) is None
    both: Any = [block_trajectory(f"normed:after={word}", "relu", 1.0, 5, 8) for word in ("true", "True")]
    np.testing.assert_array_equal(*both)
