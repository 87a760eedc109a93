"""A model of one's own, layer by layer: laws of its gradients, the order of its layers, and each verdict where it is due."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import bench

WIDTH, DEPTH = 8, 10
KEYS = jax.random.split(jax.random.key(3), DEPTH + 2)
X = jax.random.normal(KEYS[0], (4, WIDTH))
ROTATIONS = jnp.stack([jnp.linalg.qr(jax.random.normal(key, (WIDTH, WIDTH)))[0] for key in KEYS[1 : DEPTH + 1]])
HEAD = jnp.ones((WIDTH, 1)) / WIDTH


def stacked(params, x):
    """A linear network whose layers a scan reads; its head's name comes first, its use last."""
    h, _ = jax.lax.scan(lambda h, layer: (h @ layer["kernel"] + layer["bias"][None], None), x, params["layers"])
    return jnp.mean(h @ params["a_head"])


def stacked_params(scale):
    return {"a_head": HEAD, "layers": {"bias": jnp.zeros((DEPTH, WIDTH)), "kernel": scale * ROTATIONS}}


def test_a_scan_is_a_row_for_each_layer_in_the_order_of_use():
    table = bench.probe(stacked, stacked_params(1.0), X).table
    assert table["path"].tolist() == [
        *(f"layers.{name}[{i}]" for i in range(DEPTH) for name in ("kernel", "bias")),
        "a_head",
    ]
    assert table["layer"].tolist() == [*np.repeat(np.arange(DEPTH) + 1, 2), DEPTH + 1]
    assert set(table["verdict"]) == {"healthy"}


@pytest.mark.parametrize("scale", [1e-30, 1e30])
def test_gradients_of_rotations_follow_their_law_at_any_magnitude(scale):
    """Biases: ‖∂/∂b_l‖ = scale^(L - l) ‖u‖, however far that is out of the range of floats."""
    report = bench.probe(stacked, stacked_params(scale), X)
    biases = report.table[report.table["path"].str.contains("bias")]
    expected = np.log10(scale) * np.arange(DEPTH - 1, -1, -1) + np.log10(np.linalg.norm(HEAD))
    np.testing.assert_allclose(biases["log10_grad"], expected, rtol=0, atol=1e-4)
    assert np.ptp(biases["log10_grad"]) == pytest.approx(30 * (DEPTH - 1), abs=1e-3)


def test_layers_of_a_loop_are_in_the_order_of_use_and_no_library_is_needed():
    def loss(params, x):
        for layer in params["blocks"]:
            x = jnp.tanh(x @ layer["kernel"])
        return jnp.mean(x @ params["a_head"])

    blocks = [{"kernel": kernel, "activation": jnp.tanh, "rate": 0.1} for kernel in [*ROTATIONS, *ROTATIONS[:2]]]
    table = bench.probe(loss, {"a_head": HEAD, "blocks": blocks, "step": jnp.array(3)}, X).table
    assert table["path"].tolist() == [*(f"blocks[{i}].kernel" for i in range(DEPTH + 2)), "a_head"]
