"""How to write a scheme in JAX, Flax, Equinox and PyTorch, from the same gains that the suite measures."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import NamedTuple

from bench.networks.initializers import GAUSSIAN, INITIALIZERS, ORTHOGONAL, TRUNCATED, TRUNCATED_STD, UNIFORM
from bench.networks.schemes import setting_of

DISTRIBUTIONS = {GAUSSIAN.init: "normal", TRUNCATED.init: "truncated_normal", UNIFORM.init: "uniform"}


class Recipe(NamedTuple):
    """A scheme for one activation and width. JAX's kernels are (in, out), z = h @ W; PyTorch's weights (out, in).

    ``kernel``, ``bias``: JAX initializers, as expressions. ``torch``: statements about a ``layer``.
    """

    kernel: str
    bias: str
    torch: tuple[str, ...]


def recipe(initializer: str, activation: str, width: int) -> Recipe | None:
    """How to write a scheme; None for one that is no such line: data-dependent, sparse, the identity, or a user's own."""
    scheme = INITIALIZERS[initializer]
    setting = setting_of(initializer, activation, width, 0.0)
    family = scheme.family
    if math.isnan(setting.gain) or family.unit_variance:
        return None
    bias, torch_bias = _bias(setting.bias_std, uniform=family.bias is not GAUSSIAN.bias)
    if family.init is ORTHOGONAL.init:
        gain = _number(setting.gain)
        torch = f"torch.nn.init.orthogonal_(layer.weight, gain={gain})"
        return Recipe(f"jax.nn.initializers.orthogonal({gain})", bias, (torch, torch_bias))
    if family.init not in DISTRIBUTIONS:
        return None
    distribution = DISTRIBUTIONS[family.init]
    mode = "fan_avg" if scheme.averages_fans else "fan_in"
    kernel = f'jax.nn.initializers.variance_scaling({_number(setting.gain**2)}, "{mode}", "{distribution}")'
    fan = "((layer.in_features + layer.out_features) / 2)" if scheme.averages_fans else "layer.in_features"
    return Recipe(kernel, bias, (*_torch_weight(distribution, setting.gain, fan), torch_bias))


def _number(value: float) -> str:
    return f"{value:.7g}"


def _bias(std: float, *, uniform: bool) -> tuple[str, str]:
    if std == 0:
        return "jax.nn.initializers.zeros", "torch.nn.init.zeros_(layer.bias)"
    if uniform:
        bound = _number(math.sqrt(3) * std)
        jax = f"lambda key, shape, dtype=float: jax.random.uniform(key, shape, dtype, -{bound}, {bound})"
        return jax, f"torch.nn.init.uniform_(layer.bias, -{bound}, {bound})"
    return f"jax.nn.initializers.normal({_number(std)})", f"torch.nn.init.normal_(layer.bias, std={_number(std)})"


def _torch_weight(distribution: str, gain: float, fan: str) -> tuple[str, ...]:
    if distribution == "normal":
        return (f"torch.nn.init.normal_(layer.weight, std={_number(gain)} / {fan}**0.5)",)
    if distribution == "uniform":
        bound = f"bound = {_number(math.sqrt(3) * gain)} / {fan}**0.5"
        return (bound, "torch.nn.init.uniform_(layer.weight, -bound, bound)")
    std = f"std = {_number(gain / TRUNCATED_STD)} / {fan}**0.5  # before it is cut at two of them"
    return (std, "torch.nn.init.trunc_normal_(layer.weight, std=std, a=-2 * std, b=2 * std)")


def _initializers(found: Recipe) -> tuple[str, str]:
    return f"kernel_init = {found.kernel}", f"bias_init = {found.bias}"


def _in_jax(found: Recipe, width: int) -> list[str]:
    return [
        "import jax",
        *_initializers(found),
        "weight_key, bias_key = jax.random.split(jax.random.key(0))  # of each layer its own",
        f"W = kernel_init(weight_key, ({width}, {width}))  # h @ W + b",
        f"b = bias_init(bias_key, ({width},))",
    ]


def _in_flax(found: Recipe, width: int) -> list[str]:
    return [
        "import jax",
        "from flax import linen, nnx",
        *_initializers(found),
        f"layer = linen.Dense({width}, kernel_init=kernel_init, bias_init=bias_init)",
        "# or",
        f"layer = nnx.Linear({width}, {width}, kernel_init=kernel_init, bias_init=bias_init, rngs=nnx.Rngs(0))",
    ]


def _in_equinox(found: Recipe, width: int) -> list[str]:
    return [
        "import equinox as eqx",
        "import jax",
        *_initializers(found),
        "def initialize(layer, key):  # an eqx.nn.Linear, whose weight is (out, in)",
        "    weight_key, bias_key = jax.random.split(key)",
        "    weight = kernel_init(weight_key, layer.weight.shape[::-1]).T",
        "    bias = bias_init(bias_key, layer.bias.shape)",
        "    return eqx.tree_at(lambda each: (each.weight, each.bias), layer, (weight, bias))",
        f"layer = initialize(eqx.nn.Linear({width}, {width}, key=jax.random.key(0)), jax.random.key(1))",
    ]


def _in_torch(found: Recipe, width: int) -> list[str]:
    return [
        "import torch",
        "def initialize(layer):",
        "    if isinstance(layer, torch.nn.Linear):",
        *(f"        {line}" for line in found.torch),
        f"hidden = torch.nn.Linear({width}, {width}).apply(initialize)  # or a whole torch.nn.Sequential",
    ]


FRAMEWORKS: Mapping[str, Callable[[Recipe, int], list[str]]] = MappingProxyType(
    {"jax": _in_jax, "flax": _in_flax, "equinox": _in_equinox, "pytorch": _in_torch}
)
