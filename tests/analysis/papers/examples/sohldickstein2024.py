import numpy as np
import pandas as pd

from analysis.papers.sohldickstein2024 import SETUPS

SIDE = 256


def plane(name, field):
    """A map of convergence: below 0 converged. With minibatches by losses at the end, of networks that began at 1."""
    rates = np.geomspace(1, 10, SIDE)
    x, y = (axis.ravel() for axis in np.meshgrid(rates, rates))
    rows = {"learning_rate": x, "readout_learning_rate": y, "initializer": "gaussian"}
    if name == "mean":
        rows = {"learning_rate": y, "readout_learning_rate": y, "initializer": [f"gaussian:mean={mean}" for mean in x]}
    rows["final_train_loss" if name == "minibatch" else "convergence"] = field.ravel() + (name == "minibatch")
    constants = {"architecture": "plain", "activation": "tanh", "width": 16, "bias_std": 0.0}
    frame = pd.DataFrame(rows).assign(**constants, optimizer="sgd", depth=2, scale=1.0, seed=0)
    return {name: frame, "start.curves": pd.DataFrame({"loss": [1.0]})}


def surface(dimension):
    """A Gaussian surface whose level set has that dimension."""
    k = np.hypot(*np.meshgrid(np.fft.fftfreq(SIDE), np.fft.fftfreq(SIDE)))
    k[0, 0] = np.inf
    noise = np.fft.fft2(np.random.default_rng(0).standard_normal((SIDE, SIDE)))
    return np.fft.ifft2(noise * k ** (dimension - 3)).real


LINE = np.subtract.outer(np.arange(SIDE), np.full(SIDE, 100.3)) / SIDE
EVERYWHERE = np.random.default_rng(0).standard_normal((SIDE, SIDE))
ELSE = {"tanh": LINE, "relu": EVERYWHERE, "linear": EVERYWHERE, "minibatch": LINE, "one": EVERYWHERE, "mean": LINE}
NEAR_PLANE = 0.3  # by how much a surface of 1.98 has to be rougher, to be estimated near it
EXAMPLES = {"fractal": (plane("tanh", surface(1.6)), plane("tanh", LINE), plane("tanh", EVERYWHERE))} | {
    setup.title: (plane(name, surface(setup.published + NEAR_PLANE * setup.means)), plane(name, ELSE[name]))
    for name, setup in SETUPS.items()
}
