import numpy as np
import pandas as pd

SIDE = 256


def plane(field):
    """A map of convergence: below 0 converged."""
    rates = np.geomspace(1, 10, SIDE)
    x, y = np.meshgrid(rates, rates)
    rows = {"learning_rate": x.ravel(), "readout_learning_rate": y.ravel(), "convergence": field.ravel()}
    constants = {"architecture": "plain", "initializer": "gaussian", "activation": "tanh", "width": 16, "bias_std": 0.0}
    return {"tanh": pd.DataFrame(rows).assign(**constants, optimizer="sgd", depth=2, scale=1.0, seed=0)}


def surface(roughness):
    """The level set of a Gaussian surface, whose dimension is 2 - roughness."""
    k = np.hypot(*np.meshgrid(np.fft.fftfreq(SIDE), np.fft.fftfreq(SIDE)))
    k[0, 0] = np.inf
    noise = np.fft.fft2(np.random.default_rng(0).standard_normal((SIDE, SIDE)))
    return np.fft.ifft2(noise * k ** (-1 - roughness)).real


LINE = plane(np.subtract.outer(np.arange(SIDE), np.full(SIDE, 100.3)))
EXAMPLES = {"fractal": (plane(surface(0.3)), LINE)}
