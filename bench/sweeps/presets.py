"""Named sweeps, as immutable data."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from bench.settings.presets import Preset
from bench.sweeps.sweep import Sweep


class SweepPreset(Preset[Sweep]):
    """A sweep with a name and a line about it."""

    def __init__(self, summary: str, **written: Any) -> None:
        super().__init__(Sweep, summary, **written)

    @property
    def sweep(self) -> Sweep:
        """The sweep."""
        return self.settings


PRESETS: Mapping[str, SweepPreset] = MappingProxyType(
    {
        "smoke": SweepPreset(
            "seconds: two initializers × two activations, small",
            initializers=("gaussian", "orthogonal"),
            activations=("tanh", "relu"),
            depths=(2, 4, 8, 16, 32, 64),
            scales="0.5:2:7",
            widths=(16,),
            seeds=3,
        ),
        "lecture": SweepPreset(
            "the lecture's example, W = scale · E with linear activations, to depths 152 and 852",
            initializers=("identity",),
            activations=("linear",),
            depths="2:152:76 152:852:16log",
            scales=(0.5, 0.9, 1.0, 1.1, 1.5),
            widths=(2,),
            seeds=1,
        ),
        "atlas": SweepPreset(
            "41 scales × 32 depths to 852 × {gaussian, orthogonal} × {linear, tanh, relu}, width 64, 8 seeds",
            initializers=("gaussian", "orthogonal"),
            activations=("linear", "tanh", "relu"),
            depths="2:852:32log",
            scales="0.5:2.5:41",
            widths=(64,),
            seeds=8,
            layers=False,
        ),
        "remedies": SweepPreset(
            "13 architectures × 9 depths to 852 × 3 scales, relu, width 32: what makes deep networks trainable",
            architectures=(
                *("plain", "residual", "residual:alpha=1/sqrt(L)", "residual2:init=rezero", "highway"),
                *("normed", "normed:after=true", "pre_layernorm", "post_layernorm", "batchnorm"),
                *("conv", "transformer", "transformer:norm=post"),
            ),
            initializers=("he_gaussian",),
            activations=("relu",),
            depths=(2, 4, 8, 16, 32, 64, 152, 400, 852),
            scales=(0.8, 1.0, 1.25),
            widths=(32,),
            batch=4,
            length=4,
            seeds=4,
            layers=False,
        ),
        "cures": SweepPreset(
            "4 architectures × 16 depths to 852 × 13 scales, relu, width 32: which of them still care about the scale",
            architectures=("pre_layernorm", "residual:alpha=1/sqrt(L)", "batchnorm", "transformer:norm=post"),
            initializers=("he_gaussian",),
            activations=("relu",),
            depths="2:852:16log",
            scales="0.5:2:13",
            widths=(32,),
            batch=4,
            length=4,
            seeds=4,
            layers=False,
        ),
        "compare": SweepPreset(
            "12 initializers × 6 activations at width 128, depths to 852, 32 seeds (minutes; for depthscale compare)",
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
            depths="2:852:12log",
            scales=(1.0,),
            widths=(128,),
            seeds=32,
            layers=False,
        ),
    }
)
