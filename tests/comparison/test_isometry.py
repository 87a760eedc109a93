"""The isometry columns of a comparison, against networks drawn and multiplied out by NumPy."""

import numpy as np
import pytest

import bench
from bench.comparison.compare import compare
from bench.comparison.isometry import add_isometry
from bench.networks.batches import networks_of
from bench.networks.seeds import seed_mesh
from tests.tolerance import run_frame

FIELDS = {
    "initializers": ("he_normal", "critical_orthogonal"),
    "activations": ("linear", "tanh"),
    "depths": (2, 9),
    "scales": (0.9,),
    "widths": (12,),
    "bias_stds": (0.0,),
    "seeds": 3,
    "layers": False,
}


@pytest.mark.thorough
def test_columns_are_those_of_the_jacobians_of_the_measured_networks(tmp_path):
    sweep = bench.Sweep(**FIELDS)
    table = add_isometry(compare(run_frame(tmp_path, **FIELDS)), sweep, seeds=2, progress=False)
    assert (table.condition_depth == 9).all()
    drawn = {"key": 0, "width": 12, "seeds": [0, 1], "dtype": "float32", "mesh": seed_mesh(1), "keep": True}
    batches = {name: networks_of(name, **drawn) for name in FIELDS["initializers"]}
    for _, row in table.iterrows():
        networks = batches[row.initializer]
        gain = {"he_normal": np.sqrt(2)}.get(row.initializer, 1.0) * row.scale
        spreads, conditions = [], []
        for seed in range(2):
            weights = np.asarray(networks.segments(row.activation)(0).weights, float)[:8, seed] * gain
            h, jacobian = np.asarray(networks.inputs, float)[seed], np.eye(12)
            frame, stretches = np.linalg.qr(np.random.default_rng(0).normal(size=(12, 3)))[0], np.zeros(3)
            for matrix in weights:
                z = matrix @ h
                h, slope = (z, np.ones(12)) if row.activation == "linear" else (np.tanh(z), 1 - np.tanh(z) ** 2)
                jacobian = slope[:, None] * (matrix @ jacobian)
                frame, triangle = np.linalg.qr(slope[:, None] * (matrix @ frame))
                stretches += np.log10(np.abs(np.diag(triangle))) / 8
            singular = np.linalg.svd(jacobian, compute_uv=False)
            spreads.append(stretches.std())
            conditions.append(np.log10(singular[0] / singular[-1]))
        assert row.lyapunov_spread == pytest.approx(np.mean(spreads), abs=1e-6)
        assert row.log10_condition == pytest.approx(np.mean(conditions), abs=1e-3)


def test_no_seeds_and_undefined_schemes_have_none(tmp_path):
    fields = FIELDS | {"initializers": ("critical", "gaussian"), "activations": ("softplus",)}
    cells, sweep = run_frame(tmp_path, **fields), bench.Sweep(**fields)
    table = compare(cells)
    assert add_isometry(table, sweep, seeds=0, progress=False).lyapunov_spread.isna().all()
    found = add_isometry(table, sweep, seeds=1, progress=False).set_index("initializer")
    assert np.isnan(found.lyapunov_spread["critical"])
    assert found.lyapunov_spread["gaussian"] > 0
