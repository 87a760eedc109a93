"""A step of training is optax's own, applied to jax.grad of the same network written plainly."""

from functools import cache, partial

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from bench.networks.activations import ACTIVATIONS
from bench.settings.errors import SweepError
from bench.training.loop import Kind, State, clip_by_global_norm, train_step
from bench.training.network import Parameters, PlainNetwork, mean_loss
from bench.training.optimizers import OPTIMIZERS, Rates, parse_optimizer, schedule_factors
from bench.training.specs import parse_schedule

DEPTH, WIDTH, INPUTS, OUTPUTS, EXAMPLES = 4, 6, 7, 4, 10
STEPS, RATE = 3, 0.01
EXACT = 1e-12  # relative to the largest entry: the same float64 arithmetic, summed in another order
WRITTEN = [*OPTIMIZERS, "adamw:weight_decay=0.01", "sgd:momentum=0.8,nesterov=true", "rmsprop:decay=0.95,eps=1e-6"]
QUICK = ("sgd", "adam", "muon", "rmsprop:decay=0.95,eps=1e-6")
SHORT = {"momentum": {"momentum": 0.9}, "nesterov": {"momentum": 0.9, "nesterov": True}}


@cache
def network(*, biased: bool) -> tuple[Parameters, np.ndarray, np.ndarray]:
    random = np.random.default_rng(0)

    def normal(*shape: int) -> np.ndarray:
        return random.normal(size=shape) / np.sqrt(shape[-1])

    parameters = Parameters(
        input=normal(WIDTH, INPUTS),
        input_bias=normal(WIDTH) if biased else None,
        hidden=normal(DEPTH - 2, WIDTH, WIDTH),
        hidden_bias=normal(DEPTH - 2, WIDTH) if biased else None,
        readout=normal(OUTPUTS, WIDTH),
    )
    return parameters, normal(EXAMPLES, INPUTS), np.eye(OUTPUTS)[np.arange(EXAMPLES) % OUTPUTS]


def layers_of(parameters: Parameters) -> list[dict[str, jax.Array]]:
    """The same network as a list of layers, as a user of optax would hold it."""
    weights = [parameters.input, *parameters.hidden, parameters.readout]
    if parameters.input_bias is None or parameters.hidden_bias is None:
        return [{"w": w} for w in weights]
    biases = [parameters.input_bias, *parameters.hidden_bias]
    return [{"w": w, "b": b} for w, b in zip(weights, biases, strict=False)] + [{"w": parameters.readout}]


def plain_loss(layers: list, x: jax.Array, targets: jax.Array, phi, loss: str) -> jax.Array:
    for layer in layers[:-1]:
        z = x @ layer["w"].T
        x = phi(z + layer["b"][None, :] if "b" in layer else z)
    y = x @ layers[-1]["w"].T
    if loss == "mse":
        return jnp.mean(jnp.sum((y - targets) ** 2, axis=1)) / 2
    return jnp.mean(optax.softmax_cross_entropy(y, targets))


def optax_of(written: str, rate: float = RATE) -> optax.GradientTransformation:
    """From the text, without the suite's parser for the short names."""
    spec = parse_optimizer(written).spec
    make = optax.sgd if spec.name in SHORT else getattr(optax, spec.name, None) or getattr(optax.contrib, spec.name)
    return make(learning_rate=rate, **SHORT.get(spec.name, {}), **dict(spec.arguments))


def assert_same(found: list, expected: list) -> None:
    for a, b in zip(jax.tree.leaves(found), jax.tree.leaves(expected), strict=True):
        np.testing.assert_allclose(a, b, rtol=0, atol=EXACT * np.max(np.abs(b)))


@cache
def step_program(kind: Kind):
    """One step of the suite's own; data, rates and the norm are its arguments."""
    return jax.jit(partial(train_step, kind=kind))


@cache
def gradient_program(activation: str, loss: str):
    """jax.grad of the plain network, for every optimizer."""
    gradients = jax.grad(lambda *arrays: plain_loss(*arrays, ACTIVATIONS[activation].function, loss))
    return jax.jit(gradients)


def trained(
    written: str, parameters, x, targets, *, activation="tanh", loss="cross_entropy", clip=0.0, readout_rate=None
) -> list:
    kind = Kind(PlainNetwork(ACTIVATIONS[activation]), loss, parse_optimizer(written), clipped=clip > 0, whole=True)
    rates = Rates(np.asarray(RATE), np.asarray(RATE if readout_rate is None else readout_rate))
    state = State(parameters, kind.optimizer.init(rates, parameters), np.ones((), bool))
    for _ in range(STEPS):
        state, _ = step_program(kind)(state, x, targets, rates, np.asarray(clip))
    return layers_of(jax.device_get(state.parameters))


def trained_plainly(transformation, parameters, x, targets, *, activation="tanh", loss="cross_entropy"):
    layers = layers_of(parameters)

    with jax.numpy_dtype_promotion("standard"), jax.numpy_rank_promotion("allow"):  # optax mixes types
        state = transformation.init(layers)
        for _ in range(STEPS):
            # not jitted: optimizers share the operations that they are made of, and a program for each takes far longer
            gradients = gradient_program(activation, loss)(layers, x, targets)
            updates, state = transformation.update(gradients, state, layers)
            layers = optax.apply_updates(layers, updates)
    return layers


@pytest.mark.parametrize(
    "written", [pytest.param(name, marks=() if name in QUICK else pytest.mark.thorough) for name in WRITTEN]
)
def test_steps_of_every_optimizer_are_optax_s_own(written):
    with jax.enable_x64(True):
        parameters, x, targets = network(biased=True)
        assert_same(trained(written, parameters, x, targets), trained_plainly(optax_of(written), parameters, x, targets))


@pytest.mark.parametrize("written", ["sgd", "momentum", "adamw:weight_decay=0.01", "muon", "lamb"])
def test_a_readout_with_a_learning_rate_of_its_own_is_optax_s_partition(written):
    own = 10 * RATE
    with jax.enable_x64(True):
        parameters, x, targets = network(biased=True)
        labels = [dict.fromkeys(layer, "body") for layer in layers_of(parameters)]
        labels[-1] = {"w": "readout"}
        partition = optax.partition({"body": optax_of(written), "readout": optax_of(written, own)}, labels)
        found = trained(written, parameters, x, targets, readout_rate=own)
        assert_same(found, trained_plainly(partition, parameters, x, targets))
        assert np.abs(found[-1]["w"] - trained(written, parameters, x, targets)[-1]["w"]).max() > 1e-3


@pytest.mark.parametrize(
    ("activation", "loss"),
    [*((name, "cross_entropy") for name in ("tanh", "sigmoid", "relu", "gelu")), ("linear", "mse"), ("tanh", "mse")],
)
def test_steps_of_every_kind_of_network_are_jax_s_own(activation, loss):
    with jax.enable_x64(True):
        parameters, x, targets = network(biased=False)
        how = {"activation": activation, "loss": loss}
        assert_same(
            trained("sgd", parameters, x, targets, **how),
            trained_plainly(optax.sgd(RATE), parameters, x, targets, **how),
        )


@pytest.mark.parametrize("clip", [1e-3, 1e3])
def test_clipping_is_optax_s_own_where_that_is_finite(clip):
    with jax.enable_x64(True):
        parameters, x, targets = network(biased=True)
        chained = optax.chain(optax.clip_by_global_norm(clip), optax.adam(RATE))
        assert_same(trained("adam", parameters, x, targets, clip=clip), trained_plainly(chained, parameters, x, targets))
    far = [np.full((3,), 1e30, np.float32), np.full((1, 1), -1e30, np.float32)]
    clip_to = jax.jit(clip_by_global_norm)
    np.testing.assert_allclose(clip_to(far, np.float32(2))[0], 1, rtol=1e-6)
    assert not np.any(clip_to([np.zeros_like(part) for part in far], np.float32(2))[0])


@pytest.mark.parametrize("activation", ["tanh", "relu"])
def test_gradients_agree_with_finite_differences(activation):
    with jax.enable_x64(True):
        parameters, x, targets = network(biased=True)

        def loss(parameters):
            network = PlainNetwork(ACTIVATIONS[activation])
            return mean_loss(network, parameters, x, targets, loss="cross_entropy")[0]

        program = jax.jit(jax.value_and_grad(loss))
        gradients = jax.device_get(program(parameters)[1])
        random = np.random.default_rng(1)
        direction = jax.tree.map(lambda leaf: random.normal(size=leaf.shape), parameters)
        step = 1e-6
        ahead, behind = (
            program(jax.tree.map(lambda leaf, d, s=sign: leaf + s * step * d, parameters, direction))[0] for sign in (1, -1)
        )
        expected = (float(ahead) - float(behind)) / (2 * step)
        along = sum(np.vdot(g, d) for g, d in zip(jax.tree.leaves(gradients), jax.tree.leaves(direction), strict=True))
        assert abs(along - expected) < 1e-8 * max(1.0, abs(expected))


def test_what_is_no_optimizer_is_refused_with_what_is():
    for written, word in (
        ("adan2", "did you mean adan"),
        ("adamw:weightdecay=1", "weight_decay"),
        ("sgd:momentum", "ARGUMENT=VALUE"),
        ("sgd:momentum=often", "for momentum a number"),
        ("sgd:accumulator_dtype=often", "bfloat16"),
        ("", "one of"),
        (3, "NAME"),
    ):
        with pytest.raises(SweepError, match=r"^optimizers: got ") as caught:
            parse_optimizer(written)
        assert word in str(caught.value)
        assert "\n" not in str(caught.value)
    assert parse_optimizer(str(parse_optimizer("adam:b2=0.9999999").spec)).spec.arguments == (("b2", 0.9999999),)
    assert str(parse_optimizer("sgd:nesterov=True,momentum=0.50").spec) == "sgd:momentum=0.5,nesterov=true"


def test_schedules_rise_and_fall_as_they_say():
    assert (schedule_factors(parse_schedule("constant"), 7) == 1).all()
    factors = schedule_factors(parse_schedule("warmup_cosine"), 100)
    assert (np.diff(factors[:11]) > 0).all()
    assert (np.diff(factors[10:]) < 0).all()
    assert factors[0] > 0
    assert factors[10] == 1
    ours = schedule_factors(parse_schedule("warmup_cosine:warmup=0,end=0.25"), 50)
    with jax.numpy_dtype_promotion("standard"):
        theirs = optax.cosine_decay_schedule(1.0, 50, alpha=0.25)(np.arange(50))
    np.testing.assert_allclose(ours, theirs, rtol=1e-6)
    for written in ("cosine", "constant:end=0.1", "warmup_cosine:warmup=2"):
        with pytest.raises(SweepError, match=r"^schedule: got "):
            parse_schedule(written)
