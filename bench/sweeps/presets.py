"""Named sweeps, as immutable data."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

from bench.settings.ranges import logarithmic, spaced
from bench.sweeps.sweep import Sweep


class Preset(NamedTuple):
    """A sweep with a name and a line about it."""

    summary: str
    sweep: Sweep


PRESETS: Mapping[str, Preset] = MappingProxyType(
    {
        "smoke": Preset(
            "seconds: two initializers × two activations, small",
            Sweep(
                initializers=("gaussian", "orthogonal"),
                activations=("tanh", "relu"),
                depths=(2, 4, 8, 16, 32, 64),
                scales=tuple(spaced(0.5, 2.0, 7)),
                widths=(16,),
                seeds=3,
            ),
        ),
        "lecture": Preset(
            "the lecture's example, W = scale · E with linear activations, to depths 152 and 852",
            Sweep(
                initializers=("identity",),
                activations=("linear",),
                depths=(*range(2, 153, 2), *logarithmic(152, 852, 16)),
                scales=(0.5, 0.9, 1.0, 1.1, 1.5),
                widths=(2,),
                seeds=1,
            ),
        ),
        "atlas": Preset(
            "41 scales × 32 depths to 852 × {gaussian, orthogonal} × {linear, tanh, relu}, width 64, 8 seeds",
            Sweep(
                initializers=("gaussian", "orthogonal"),
                activations=("linear", "tanh", "relu"),
                depths=tuple(logarithmic(2, 852, 32)),
                scales=tuple(spaced(0.5, 2.5, 41)),
                widths=(64,),
                seeds=8,
                layers=False,
            ),
        ),
        "compare": Preset(
            "12 initializers × 6 activations at width 128, depths to 852, 32 seeds (minutes; for bench compare)",
            Sweep(
                initializers=(
                    "gaussian",
                    "he_gaussian",
                    "flax_default",
                    "he_normal",
                    "keras_glorot",
                    "torch_linear",
                    "truncated",
                    "orthogonal",
                    "lsuv",
                    "critical",
                    "critical_orthogonal",
                    "scaled_identity",
                ),
                activations=("tanh", "relu", "gelu", "silu", "selu", "sigmoid"),
                depths=tuple(logarithmic(2, 852, 12)),
                scales=(1.0,),
                widths=(128,),
                seeds=32,
                layers=False,
            ),
        ),
    }
)
