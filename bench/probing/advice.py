"""What usually mends what was found, and where that is from."""

from __future__ import annotations

from collections.abc import Sequence
from types import MappingProxyType
from typing import NamedTuple


class Advice(NamedTuple):
    """A line on what helps, and its source."""

    text: str
    source: str
    recurrent: bool | None = None  # only where a trend is over the steps of a scan, or only where it is not


ADVICE = MappingProxyType(
    {
        "vanishing": (
            Advice("draw weights with the gain of the activation (relu: he_normal, tanh: lecun_normal)", "He 2015", False),
            Advice("residual connections with normalization before each block", "He 2016; Xiong 2020", False),
            Advice("gates, leaky units, or an orthogonal recurrent matrix", "Hochreiter 1997; Jaeger 2007; Saxe 2014", True),
        ),
        "exploding": (
            Advice("smaller weights: the gain of the activation, or a branch scale of 1/√blocks", "He 2015; De 2020", False),
            Advice("normalization before each block", "Ba 2016; Xiong 2020", False),
            Advice("clip the norm of the gradient, and keep the spectral radius near 1", "Pascanu 2013", True),
        ),
        "underflow": (
            Advice("multiply the loss by a power of two and divide the gradients by it in float32", "Micikevicius 2018"),
            Advice("compute in bfloat16, which has the range of float32", "Kalamkar 2019"),
        ),
        "dead": (
            Advice("relu that is never active: a smaller bias or learning rate, or leaky relu, gelu", "Maas 2013; Lu 2020"),
            Advice("weights that are all equal or zero need a random draw", "Glorot 2010"),
        ),
        "gated": (Advice("nothing: it gets a gradient as soon as its gate has moved", "Bachlechner 2021; Zhang 2019"),),
        "disconnected": (
            Advice(
                "nothing, if it is frozen on purpose; else look for stop_gradient, an integer cast, an unused output", "JAX"
            ),
        ),
        "non-finite": (
            Advice("a stable form: log_softmax, logsumexp, a guard inside of where (jnp.where(x > 0, x, 1))", "JAX FAQ"),
            Advice("compute what leaves the range in float32 or bfloat16", "Micikevicius 2018"),
        ),
        "healthy": (),
    }
)
PAPERS = MappingProxyType(
    {
        "Bachlechner 2021": "ReZero is all you need, UAI",
        "Ba 2016": "Layer normalization, arXiv:1607.06450",
        "De 2020": "Batch normalization biases residual blocks towards the identity function, NeurIPS",
        "Glorot 2010": "Understanding the difficulty of training deep feedforward neural networks, AISTATS",
        "He 2015": "Delving deep into rectifiers, ICCV",
        "He 2016": "Identity mappings in deep residual networks, ECCV",
        "Hochreiter 1997": "Long short-term memory, Neural Computation 9",
        "Jaeger 2007": "Optimization and applications of echo state networks with leaky units, Neural Networks 20",
        "Kalamkar 2019": "A study of bfloat16 for deep learning training, arXiv:1905.12322",
        "Lu 2020": "Dying ReLU and initialization, Communications in Computational Physics 28",
        "Maas 2013": "Rectifier nonlinearities improve neural network acoustic models, ICML workshop",
        "Micikevicius 2018": "Mixed precision training, ICLR",
        "Pascanu 2013": "On the difficulty of training recurrent neural networks, ICML",
        "Saxe 2014": "Exact solutions to the nonlinear dynamics of learning in deep linear networks, ICLR",
        "Xiong 2020": "On layer normalization in the transformer architecture, ICML",
        "Zhang 2019": "Fixup initialization, ICLR",
    }
)


def advice_for(verdict: str, *, recurrent: bool) -> list[Advice]:
    """What fits: to a trend over the steps of a scan, or to one over layers."""
    return [advice for advice in ADVICE[verdict] if advice.recurrent in (None, recurrent)]


def sources_of(advices: Sequence[Advice]) -> list[str]:
    """The papers, with their titles, each once."""
    names = dict.fromkeys(name for advice in advices for name in advice.source.split("; "))
    return [f"{name}: {PAPERS[name]}" for name in names if name in PAPERS]
