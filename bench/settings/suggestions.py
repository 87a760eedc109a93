"""What was probably meant by a name that is not known."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

# as other libraries and papers call what has a name here
ALIASES = {
    "xavier": "glorot_normal",
    "xavier_normal": "glorot_normal",
    "xavier_uniform": "glorot_uniform",
    "glorot": "glorot_normal",
    "he": "he_normal",
    "kaiming": "he_normal",
    "kaiming_normal": "he_normal",
    "kaiming_uniform": "he_uniform",
    "msra": "he_normal",
    "lecun": "lecun_normal",
    "normal": "gaussian",
    "randn": "gaussian",
    "uniform": "standard_uniform",
    "eye": "identity",
    "haar": "orthogonal",
    "saxe": "orthogonal",
    "pytorch": "torch_linear",
    "torch": "torch_linear",
    "keras": "keras_glorot",
    "flax": "flax_default",
    "jax": "jax_lecun",
    "haiku": "truncated",
    "swish": "silu",
    "identity": "linear",
    "logistic": "sigmoid",
    "sin": "sine",
    "siren": "sine",
    "mnist": "digits",
    "cosine": "warmup_cosine",
    "mlp": "plain",
    "dense": "plain",
    "feedforward": "plain",
    "resnet": "residual",
    "skip": "residual",
    "fixup": "residual2:init=fixup",
    "rezero": "residual2:init=rezero",
    "skipinit": "residual2:init=skipinit",
    "layerscale": "residual2:init=layerscale",
    "layernorm": "normed",
    "rmsnorm": "normed:norm=rms",
    "pre_ln": "pre_layernorm",
    "preln": "pre_layernorm",
    "post_ln": "post_layernorm",
    "postln": "post_layernorm",
    "cnn": "conv",
    "elman": "rnn",
    "attention": "transformer",
    "gpt": "transformer",
    "deepnorm": "transformer:norm=post,branch=deepnorm",
}


def nearest(name: str, known: Iterable[str]) -> str:
    """The hint "; did you mean …?" where a known name is close or called so elsewhere, else nothing."""
    known = list(known)
    plain = name.casefold().replace("-", "_")
    if (alias := ALIASES.get(plain, "")).partition(":")[0] in known:
        return f"; did you mean {alias}?"
    if "," in name and all(part in known for part in name.split(",")):
        return f"; did you mean {name.replace(',', ' ')}?"
    same = [each for each in known if each.casefold().replace("-", "_") == plain and each != name]
    close = same or difflib.get_close_matches(name, known, n=1)
    return f"; did you mean {close[0]}?" if close else ""
