"""Precision runs beside real programs in the formats, closed forms, and the sweep that they are."""

import jax
import jax.numpy as jnp
import ml_dtypes
import numpy as np
import pandas as pd
import pytest

import bench
from bench.arithmetic.formats import FORMATS, round_to
from bench.networks.activations import ACTIVATIONS
from bench.networks.batches import networks_of
from bench.networks.seeds import place, seed_mesh
from bench.networks.segments import segments_to
from bench.precision.network import Settings, network_program

WIDTH, DEPTHS = 8, (2, 10, 16, 22, 30)
REAL = ("float16", "bfloat16")
RUN = {"widths": WIDTH, "depths": DEPTHS, "seeds": 3, "formats": REAL}
WHERE = ["initializer", "activation", "depth", "scale", "seed", "format"]


@pytest.fixture(scope="module")
def tanh(tmp_path_factory):
    """From where bfloat16 has no numbers any more to where nothing is lost."""
    asked = bench.Precision(activations="tanh", scales=[0.002, 0.5, 1.0, 2.0], **RUN)
    return bench.run(asked, results=tmp_path_factory.mktemp("tanh"), progress=False)


def identity(folder, **fields):
    asked = bench.Precision(initializers="identity", activations="linear", **(RUN | {"formats": "float16"} | fields))
    return bench.run(asked, results=folder, progress=False, name=f"k{fields.get('loss_scale', 1):g}")


@pytest.fixture(scope="module")
def linear(tmp_path_factory):
    return identity(tmp_path_factory.mktemp("linear"), scales=[0.5, 4.0])


def drawn(scale: float, seeds: int = 16):
    """W_l [seeds, layers, n, n], x and u [seeds, n] of a sweep with key 0, in float32."""
    mesh = seed_mesh(seeds, seeds)
    batch = networks_of("gaussian", key=0, width=WIDTH, seeds=range(seeds), dtype="float32", mesh=mesh, keep=True)
    segments = [batch.segments("tanh")(index) for index in range(segments_to(DEPTHS[-1]))]
    weights = np.concatenate([np.asarray(segment.weights) for segment in segments]).swapaxes(0, 1)
    return np.float32(scale) * weights, np.asarray(batch.inputs), np.asarray(batch.readout)


def real_gradients(name: str, scale: float, depth: int, seed: int) -> np.ndarray:
    """∂y/∂W_l [L-1, n, n] of a plain JAX program whose arrays are all of that format."""
    weights, x, readout = (jnp.asarray(array[seed]).astype(name) for array in drawn(scale))

    def output(weights, x, readout):
        h, _ = jax.lax.scan(lambda h, matrix: (jnp.tanh(matrix @ h), None), x, weights)
        return readout @ h

    options = {"xla_allow_excess_precision": False}
    found = jax.jit(jax.grad(output), compiler_options=options)(weights[: depth - 1], x, readout)
    return np.asarray(found.astype(jnp.float32))


@pytest.mark.parametrize("name", REAL)
@pytest.mark.parametrize("scale", [0.002, 0.5, 2.0])
def test_the_gradient_is_that_of_a_real_program_in_the_format_entry_by_entry(name, scale):
    depth, seeds = 22, 16
    mesh = seed_mesh(seeds, seeds)
    batch = networks_of("gaussian", key=0, width=WIDTH, seeds=range(seeds), dtype="float32", mesh=mesh, keep=True)
    parts = [batch.segments("tanh")(index) for index in range(2)]
    segment = jax.tree.map(lambda *each: jnp.concatenate(each), *parts)
    settings = place(mesh, Settings(*(np.full(8, value, np.float32) for value in (scale, 0, 1))))
    depths = place(mesh, np.array([depth, 2, 0, 0], np.int32))
    program = network_program(mesh, ACTIVATIONS["tanh"], "output", name)
    found = program(segment, batch.inputs, batch.readout, settings, depths, place(mesh, np.float32(1)))
    delta, entering = np.asarray(found.delta)[1, 3, : depth - 1, 0], np.asarray(found.hidden)[1, 3, : depth - 1]
    gradients = np.asarray(round_to(jnp.asarray(delta[:, :, None] * entering[:, None, :]), FORMATS[name]))
    expected = real_gradients(name, scale, depth, seed=1)
    np.testing.assert_array_equal(gradients, expected)
    assert (np.mean(expected == 0) > 0.9) == (scale == 0.002)


@pytest.mark.parametrize("name", REAL)
@pytest.mark.parametrize("scale", [0.002, 0.5, 2.0])
def test_rows_are_what_a_real_program_loses_of_float64(tanh, name, scale):
    depth = 22
    layers = tanh.format_layers
    rows = layers[(layers["scale"] == scale) & (layers["depth"] == depth) & (layers["seed"] == 1)]
    rows = rows[rows["format"] == name]
    weights, x, readout = (array[1].astype(float) for array in drawn(scale))
    hidden = [x]
    for matrix in weights[: depth - 1]:
        hidden.append(np.tanh(matrix @ hidden[-1]))
    delta, exact = readout * (1 - hidden[-1] ** 2), []
    for layer in range(depth - 2, -1, -1):
        exact.insert(0, np.outer(delta, hidden[layer]))
        delta = weights[layer].T @ delta * (1 - hidden[layer] ** 2)
    exact, own = np.array(exact), real_gradients(name, scale, depth, seed=1).astype(float)
    sizes, tiny = np.linalg.norm(own, axis=(1, 2)), float(ml_dtypes.finfo(name).smallest_normal)
    np.testing.assert_array_equal(rows["share_zero"], np.mean(own == 0, axis=(1, 2)))
    np.testing.assert_array_equal(rows["share_subnormal"], np.mean((own != 0) & (np.abs(own) < tiny), axis=(1, 2)))
    np.testing.assert_array_equal(rows["share_overflow"], 0)
    error = sizes / np.linalg.norm(exact, axis=(1, 2)) - 1  # of float64; that of the rows is of float32, at scale 2 chaotic
    np.testing.assert_allclose(rows["norm_error"], error, atol=1e-4)
    with np.errstate(invalid="ignore"):
        cosines = (own * exact).sum(axis=(1, 2)) / sizes / np.linalg.norm(exact, axis=(1, 2))
        np.testing.assert_allclose(rows["angle"], np.degrees(np.arccos(np.minimum(cosines, 1))), atol=1e-2)


def halved(depth: int, factor: float = 1.0) -> np.ndarray:
    """∂y/∂W_1 of W = E/2, times a loss scale, in NumPy's float16: u is halved L - 2 times, each time rounded."""
    _, x, readout = drawn(1.0)
    delta = readout[:3].astype(np.float16) * np.float16(factor)
    for _ in range(depth - 2):
        delta = delta * np.float16(0.5)
    return delta[:, :, None] * x[:3].astype(np.float16)[:, None, :]


def test_identity_networks_lose_what_repeated_halving_loses(linear):
    rows = linear.formats.query("scale == 0.5").sort_values(["depth", "seed"])
    expected = [halved(depth) for depth in DEPTHS]
    np.testing.assert_array_equal(rows["share_zero_first"], np.concatenate([np.mean(g == 0, axis=(1, 2)) for g in expected]))
    assert rows["share_zero_first"].min() == 0
    assert rows["share_zero_first"].max() == 1


def test_the_first_place_that_goes_wrong_is_where_the_powers_of_the_scale_leave_the_format(linear):
    _, x, _ = drawn(1.0)
    for seed in range(3):
        row = linear.formats.query(f"scale == 4.0 and depth == 30 and seed == {seed}").iloc[0]
        largest = float(np.abs(x[seed]).astype(np.float16).max())
        first = next(layer for layer in range(1, 30) if largest * 4.0**layer > 65504)
        assert (row["wrong_place"], row["wrong_layer"]) == ("activation", first)
        assert row["output_overflow"] == 1
        lost = linear.formats.query(f"scale == 0.5 and depth == 30 and seed == {seed}").iloc[0]
        assert lost["wrong_place"] == "activation"  # h halves as the gradient does, and is smaller


def test_the_loss_scale_that_is_told_saves_what_can_be_saved(linear, tmp_path):
    """Of entries of about 2^-20 it keeps the least, and a quarter of it does not."""
    told = linear.formats.query("scale == 0.5 and depth == 22").sort_values("seed")["log2_loss_scale"].to_numpy()
    for seed, k in enumerate(told):
        assert 0 < k <= 15  # 2^16 is beyond float16
        assert np.all(halved(22, 2.0 ** (k + 1))[seed] != 0)
        assert np.any(halved(22, 2.0 ** (k - 2))[seed] == 0)
    run = identity(tmp_path, scales=[0.5], loss_scale=2.0**12)
    rows = run.formats.query("depth == 22").sort_values("seed")
    expected = np.mean(halved(22, 2.0**12) == 0, axis=(1, 2))
    np.testing.assert_array_equal(rows["share_zero_first"], expected)
    np.testing.assert_allclose(rows["norm_error_first"], 0, atol=2e-3)  # divided by the scale again
    np.testing.assert_array_equal(rows["log2_loss_scale"], told)


def test_its_rows_are_the_sweeps_and_no_cell_depends_on_its_neighbours(tanh, tmp_path):
    fields = {"activations": "tanh", "scales": [0.5], "widths": WIDTH, "seeds": 3}
    sweep = bench.run(bench.Sweep(depths=[22], **fields), results=tmp_path, progress=False)
    mine = tanh.cells.query("scale == 0.5 and depth == 22").reset_index(drop=True)
    pd.testing.assert_frame_equal(sweep.cells, mine)
    few = bench.Precision(depths=[22, 30], formats="float16", **fields)
    alone = bench.run(few, results=tmp_path, progress=False)
    for table in ("formats", "format_layers"):
        every = getattr(tanh, table).query("scale == 0.5 and depth in (22, 30) and format == 'float16'")
        pd.testing.assert_frame_equal(getattr(alone, table), every.reset_index(drop=True))


def test_a_run_that_lost_rows_is_finished_with_the_same_ones(linear):
    before = linear.formats
    shard = next(iter((linear / "formats").glob("*.parquet")))
    shard.unlink()
    again = identity(linear.parent, scales=[0.5, 4.0])
    assert again == linear
    pd.testing.assert_frame_equal(again.formats, before)


def test_every_row_is_complete_in_itself(tanh):
    rows = tanh.formats
    assert not rows.duplicated(WHERE).any()
    assert len(rows) == len(tanh.cells) * len(REAL)
    assert len(tanh.format_layers) == sum(depth - 1 for depth in DEPTHS) * 4 * 3 * 2
    assert {"heatmap", "horizon", "profile"} <= set(dir(tanh.plot))
    assert "formats" in repr(tanh)
    assert bench.compare(tanh.path, isometry_seeds=0, progress=False)["initializer"].unique().tolist() == ["gaussian"]


BAD = {"formats": ("float17", []), "loss_scale": (0, 3.0, "much", 2.0**200)}


@pytest.mark.parametrize(("field", "value"), [(field, value) for field, values in BAD.items() for value in values])
def test_bad_settings_are_refused(field, value):
    with pytest.raises(bench.SweepError, match=rf"^{field}: got .*expected"):
        bench.Precision(**{field: value})
