"""A convolutional network of 12 layers whose kernels are drawn with standard deviation 0.01.

``depthscale probe convnet:make``, then ``convnet:mended``.
"""

import jax
import jax.numpy as jnp

LAYERS, CHANNELS, SIZE, CLASSES, BATCH = 12, 16, 8, 10, 16


def make(key):
    """As tutorials used to draw kernels."""
    return _model(key, jax.nn.initializers.normal(0.01))


def mended(key):
    """The gain of relu (He 2015)."""
    return _model(key, jax.nn.initializers.he_normal())


def _model(key, init):
    keys = jax.random.split(key, LAYERS + 3)
    channels = [3] + LAYERS * [CHANNELS]
    params = {
        "head": jax.nn.initializers.lecun_normal()(keys[-1], (CHANNELS, CLASSES)),
        "layers": [
            {"kernel": init(keys[i], (3, 3, *channels[i : i + 2])), "bias": jnp.zeros(CHANNELS)} for i in range(LAYERS)
        ],
    }
    images = jax.random.normal(keys[-2], (BATCH, SIZE, SIZE, 3))
    labels = jax.random.randint(keys[-3], (BATCH,), 0, CLASSES)

    def loss(params, images, labels):
        h = images
        for layer in params["layers"]:
            h = jax.lax.conv_general_dilated(h, layer["kernel"], (1, 1), "SAME", dimension_numbers=("NHWC", "HWIO", "NHWC"))
            h = jax.nn.relu(h + layer["bias"].reshape(1, 1, 1, -1))
        logits = jax.nn.log_softmax(h.mean((1, 2)) @ params["head"])
        return -jnp.mean(jnp.take_along_axis(logits, labels[:, None], 1))

    return loss, params, (images, labels)
