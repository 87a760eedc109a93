"""A convolutional network of 12 layers whose kernels are drawn with standard deviation 0.01.

``depthscale probe docs.examples.convnet:make``, then ``:mended``.
"""

import jax
import jax.numpy as jnp
import numpy as np

LAYERS, CHANNELS, SIZE, CLASSES, BATCH = 12, 16, 8, 10, 16


def make(key):
    """As tutorials used to draw kernels."""
    return _model(key, std=0.01)


def mended(key):
    """The gain of relu (He 2015)."""
    return _model(key, std=None)


def _model(key, std):
    rng = np.random.default_rng(np.asarray(jax.random.key_data(key)))  # draws at once, where JAX compiles
    channels = [3] + LAYERS * [CHANNELS]

    def layer(inputs, outputs):
        kernel = (std or (2 / (9 * inputs)) ** 0.5) * rng.standard_normal((3, 3, inputs, outputs))
        return {"kernel": jnp.float32(kernel), "bias": jnp.zeros(outputs)}

    params = {
        "head": jnp.float32(rng.standard_normal((CHANNELS, CLASSES)) / CHANNELS**0.5),
        "layers": [layer(*channels[i : i + 2]) for i in range(LAYERS)],
    }
    images = jnp.float32(rng.standard_normal((BATCH, SIZE, SIZE, 3)))
    labels = jnp.asarray(rng.integers(0, CLASSES, BATCH))

    def loss(params, images, labels):
        h = images
        for layer in params["layers"]:
            h = jax.lax.conv_general_dilated(h, layer["kernel"], (1, 1), "SAME", dimension_numbers=("NHWC", "HWIO", "NHWC"))
            h = jax.nn.relu(h + layer["bias"].reshape(1, 1, 1, -1))
        logits = jax.nn.log_softmax(h.mean((1, 2)) @ params["head"])
        return -jnp.mean(jnp.take_along_axis(logits, labels[:, None], 1))

    return loss, params, (images, labels)
