import numpy as np
import pandas as pd

from tests.analysis.papers.rows import table


def points(shift):
    rows = [("gelu", 1.98305, 0.17292, 3.56), ("silu", 1.988, 0.55514, 14.32017)]
    found = pd.DataFrame(rows, columns=["activation", "C_W", "C_b", "K"])
    return {"points": found.assign(**{name: found[name] + shift for name in ("C_W", "C_b", "K")})}


def decay(slope):
    value = {"log10_activation": lambda rows: 0.5 * np.log10(rows["width"] / (1 + slope * rows["layer"]))}
    return {"tanh.layers": table(value, noise=1e-4, width=[256], depth=[64], layer=range(1, 64))}


def spread(slope):
    drawn = np.random.default_rng(0).standard_normal(3000)
    log_square = np.sqrt(slope) * (drawn - drawn.mean()) / drawn.std()
    rows = {"depth": 33, "width": 32, "layer": 32, "seed": range(3000), "log10_activation": log_square / 2 / np.log(10)}
    return {"relu.layers": pd.DataFrame(rows)}


NAMES = ("gelu C_W", "gelu C_b", "silu C_W", "silu C_b", "silu K*")
EXAMPLES = {
    **dict.fromkeys(NAMES, (points(0.0), points(0.1))),
    "tanh decay": (decay(2.0), decay(1.0)),
    "relu fluctuations": (spread(5.0), spread(1.0)),
}
