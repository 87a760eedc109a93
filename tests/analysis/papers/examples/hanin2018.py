import numpy as np
import pandas as pd

from analysis.papers.hanin2018 import SHAPES, beta


def norms(law):
    """Logarithms whose variance is ``law`` of the widths."""
    frames = []
    for name, shape in SHAPES.items():
        drawn = np.random.default_rng(len(name)).standard_normal(4000)
        values = np.sqrt(law(shape)) * (drawn - drawn.mean()) / drawn.std()
        frames.append(pd.DataFrame({"shape": name, "beta": beta(shape), "seed": range(4000), "log_square": values}))
    return {"norms": pd.concat(frames)}


BY_BETA, BY_DEPTH = norms(lambda shape: 5 * beta(shape)), norms(lambda shape: 0.3 * len(shape))
EXAMPLES = dict.fromkeys(("exponential in β", "not depth", "equal widths"), (BY_BETA, BY_DEPTH))
