"""Named trainings, as immutable data."""

from __future__ import annotations

import math
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from bench.settings.presets import Preset
from bench.training.training import Training


class TrainingPreset(Preset[Training]):
    """A training with a name and a line about it."""

    def __init__(self, summary: str, **written: Any) -> None:
        super().__init__(Training, summary, **written)

    @property
    def training(self) -> Training:
        """The training."""
        return self.settings


def _root(variance: float) -> float:
    return float(f"{math.sqrt(variance):.12g}")


TRAININGS: Mapping[str, TrainingPreset] = MappingProxyType(
    {
        "digits": TrainingPreset(
            "tanh, Gaussian and orthogonal, depth 2 to 64 on handwritten digits: 13 scales × 4 learning rates × 3 seeds",
            initializers=("gaussian", "orthogonal"),
            depths=(2, 4, 8, 16, 32, 64),
            scales="0.4:2.8:13",
            learning_rates=(0.03, 0.1, 0.3, 1.0),
            steps=200,
            seeds=3,
        ),
        "saxe": TrainingPreset(
            "deep linear networks on four decoupled modes, per initializer and depth to 100 (Saxe et al. 2014)",
            task="saxe:inputs=4,outputs=4,values=2/1.5/1/0.5",
            initializers=("gaussian", "orthogonal", "identity"),
            activations=("linear",),
            depths=(2, 3, 5, 10, 20, 50, 100),
            scales=(0.9, 1.0, 1.1),
            widths=(16,),
            learning_rates=(0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3),
            steps=1000,
            batch=4,
            loss="mse",
            target="loss=0.05",
            seeds=4,
        ),
        "schoenholz": TrainingPreset(
            "tanh, depth 10 to 300 × weight variance 1 to 4, bias variance 0.05 (Schoenholz et al. 2017; ten minutes)",
            depths="10:300:8log",
            scales=tuple(_root(1 + step / 5) for step in range(16)),
            widths=(64,),
            bias_stds=(_root(0.05),),
            learning_rates=(0.0003, 0.003),  # what 100 layers need, and what 10 do
            optimizers=("momentum",),
            steps=1000,
        ),
        "remedies": TrainingPreset(
            "ten architectures of depth 8, 32 and 152 on handwritten digits, relu, five learning rates (minutes)",
            architectures=(
                *("plain", "normed", "highway", "residual", "residual:alpha=1/sqrt(L)"),
                *("residual2:init=fixup", "residual2:init=rezero", "pre_layernorm", "post_layernorm", "batchnorm"),
            ),
            initializers=("he_gaussian",),
            activations=("relu",),
            depths=(8, 32, 152),
            scales=(1.0,),
            learning_rates=(0.003, 0.01, 0.03, 0.1, 0.3),
            steps=150,
            batch=32,
            seeds=3,
        ),
        "boundary": TrainingPreset(
            "256 × 256 learning rates of hidden layer and readout, tanh, width 16 (Sohl-Dickstein 2024; minutes)",
            task="noise:inputs=16,outputs=1,examples=272",  # as many as there are weights
            depths=(2,),
            scales=(_root(2),),
            widths=(16,),
            learning_rates="10:3000:256log",
            readout_learning_rates="0.4:2:256log",
            steps=500,
            batch=272,
            loss="mse",
            target="loss=0.1",
            curves=False,
        ),
    }
)
