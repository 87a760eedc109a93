"""What the three examples learn with their fault, and without: ``python docs/examples/curves.py FILE.png``.

Adam without an epsilon, so that the size of a loss, and of a loss scale, is of no matter. The recurrent network gets another
batch at every step, the others learn one by heart. Losses are means over ten steps, relative to the first.
"""

import sys

import convnet
import jax
import matplotlib.pyplot as plt
import numpy as np
import optax
import rnn
import transformer

STEPS, MEAN = 300, 10
COLOURS = "#2166ac", "#1b7837"
EXAMPLES = {  # → learning rate, whether each step has a batch of its own, and what the fault and the cure are
    rnn: (1e-2, True, ("tanh", "leaky units")),
    convnet: (1e-3, False, ("standard deviation 0.01", "He's gain")),
    transformer: (1e-3, False, ("float16", "loss times 2^16")),
}


def curve(make, rate, fresh):
    """The loss, a mean over so many steps at a time, relative to the first one."""
    loss, params, args = make(jax.random.key(0))
    optimizer = optax.adam(rate, eps=1e-30)
    state = optimizer.init(params)

    @jax.jit
    def update(params, state, args):
        value, gradients = jax.value_and_grad(loss)(params, *args)
        changes, state = optimizer.update(gradients, state)
        return optax.apply_updates(params, changes), state, value

    values = []
    for step in range(STEPS):
        params, state, value = update(params, state, make(jax.random.key(step))[2] if fresh else args)
        values.append(float(value))
    means = np.reshape(values, (-1, MEAN)).mean(axis=1)
    return MEAN * np.arange(len(means)), means / means[0]


figure, panels = plt.subplots(1, 3, figsize=(7.2, 2.3), layout="constrained")
for ax, (example, (rate, fresh, labels)) in zip(panels, EXAMPLES.items(), strict=True):
    for make, label, colour in zip((example.make, example.mended), labels, COLOURS, strict=True):
        ax.plot(*curve(make, rate, fresh), color=colour, label=label)
    ax.set(title=example.__name__, xlabel="step", yscale="log")
    ax.legend(fontsize=7, frameon=False)
panels[0].set_ylabel("loss, relative to the first")
figure.savefig(sys.argv[1], dpi=130)
