import math

import numpy as np
import pandas as pd

from analysis.papers.haninnica2019 import NARROW, SQUARED, WIDE, beta


def norms(variance=1.0, mean=1.0, narrow=1.0, power=1):
    """Logarithms of these multiples of theory's variance and mean; power 3: of odd tails."""
    frames = []
    for (width, depth), times in ((NARROW, narrow), (WIDE, 1.0)):
        drawn = np.random.default_rng(width).standard_normal(4000) ** power
        drawn = (drawn - drawn.mean()) / drawn.std()
        b = beta(width, depth)
        log_square = -mean * b / 2 - math.log(2) + np.sqrt(variance * times * b) * drawn
        decades = (log_square + math.log(width)) / SQUARED
        frames.append(pd.DataFrame({"width": width, "depth": depth, "seed": range(4000), "log10_grad_first": decades}))
    return {"norms": pd.concat(frames)}


EXAMPLES = {
    "variance": (norms(), norms(variance=2)),
    "mean": (norms(), norms(mean=0)),
    "only the ratio": (norms(), norms(narrow=2)),
    "normal": (norms(), norms(power=3)),
}
