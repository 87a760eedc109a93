import numpy as np

from analysis.papers.mishkin2016 import ACTIVATIONS, DEEPEST, expected
from tests.analysis.papers.rows import table


def lengths(times):
    def decades(rows):
        return 0.5 * np.log10(times * rows["width"] * rows["activation"].map({each: expected(each) for each in ACTIVATIONS}))

    axes = {"initializer": ["lsuv"], "activation": list(ACTIVATIONS), "width": [64], "depth": [DEEPEST]}
    return {"lsuv.layers": table({"log10_activation": decades}, layer=range(1, DEEPEST), **axes)}


def gradients(factor):
    decades = {"log10_grad_first": lambda rows: rows["depth"] * np.log10(factor)}
    return {"lsuv": table(decades, initializer=["lsuv"], activation=list(ACTIVATIONS), depth=[5, 10, 40])}


EXAMPLES = {
    **{f"unit variance, {each}": (lengths(1.0), lengths(2.0)) for each in ACTIVATIONS},
    "relu gradients": (gradients(1.0), gradients(0.9)),
    "tanh gradients": (gradients(1.0), gradients(1.085)),
}
