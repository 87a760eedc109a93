"""Six things that one hears of deep networks, beside what is measured: ``python docs/examples/beliefs.py FILE.png``.

Width 64 (images: 16), relu and He's weights, medians of 8 seeds (images: 4), unless a panel says otherwise; three minutes.
"""

import sys
import tempfile

import numpy as np
from matplotlib import rc_context

import bench
from analysis.drawing.style import DOUBLE_COLUMN, QUALITATIVE, STYLE, new_figure, tidy

DEPTHS = np.array([2, 8, 32, 128, 400, 852])
STEPS = np.array([2, 4, 8, 12, 16, 24, 32, 48, 64, 96, 128])
FIELDS = {"activations": "relu", "initializers": "he_gaussian", "depths": DEPTHS, "scales": 1.0, "widths": 64, "seeds": 8}
FOLDER = tempfile.mkdtemp()


def first(names, column, statistic="median", **fields):
    """For each name a curve: over seeds, of block 1, against depth."""
    run = bench.run(bench.Sweep(architectures=names, **(FIELDS | fields)), results=FOLDER, name="run", overwrite=True)
    layers = run.layers[run.layers.layer == 1] if column == "log10_delta" else run.layers
    if column == "log10_activation":
        layers = layers[layers.layer == layers.depth - 1]  # of the last block
    elif column == "log10_grad":
        layers = layers[layers.layer == 1]
    values = layers.groupby(["architecture", "depth"], observed=True)[column]
    if statistic == "median":
        curves = values.median().unstack()
    else:  # root mean square
        curves = values.agg(lambda logs: np.log10(np.mean(10 ** (2 * logs))) / 2).unstack()
    return [curves.loc[name] for name in names]


def draw(ax, title, lines, belief, ylabel, xlabel="depth $L$"):
    """A panel: lines [(label, curve)], and what is believed, dashed."""
    for (label, curve), colour in zip(lines, QUALITATIVE, strict=False):
        ax.plot(curve.index, curve, color=colour, label=label, marker=".", markersize=3)
    if belief is not None:
        ax.plot(*belief[1:], color="0.4", linestyle=(0, (4, 1.5)), label=belief[0], zorder=0)
    ax.set(xscale="log", xlabel=xlabel, ylabel=ylabel)
    ax.set_title(title, fontsize=7)
    ax.legend(fontsize=6, frameon=False)
    tidy(ax)


GRADIENT = r"$\log_{10}\ \|\partial y/\partial W_1\|$"
blocks = DEPTHS - 1
with rc_context(STYLE):
    figure = new_figure(DOUBLE_COLUMN, 4.4)
    panels = iter(figure.subplots(2, 3).flat)

    names = ["normed:after=true", "normed:after=true,norm=rms"]
    lines = zip(["LayerNorm after ReLU", "RMSNorm after ReLU"], first(names, "log10_grad"), strict=True)
    law = r"$(\pi/(\pi-1))^{L/2}$", DEPTHS, 0.9 + DEPTHS * np.log10(np.pi / (np.pi - 1)) / 2
    draw(next(panels), "“RMSNorm is only cheaper”:\nno, it removes an explosion", list(lines), law, GRADIENT)

    lines = zip(["post-LN"], first(["post_layernorm"], "log10_grad"), strict=True)
    belief = r"skip alone, $2^{-L/2}$", DEPTHS[:4], 0.9 - DEPTHS[:4] * np.log10(2) / 2
    draw(next(panels), "“post-LN halves $g^2$ in every block”:\nthe branch pays it back", list(lines), belief, GRADIENT)

    names = ["pre_layernorm", "residual"]
    lines = zip(["pre-LN", "no LN"], first(names, "log10_activation"), strict=True)
    law = r"$\sqrt{n L}$", DEPTHS, np.log10(64 * DEPTHS) / 2
    ax = next(panels)
    draw(ax, "“pre-LN's stream explodes”:\nit grows as $\\sqrt{L}$", list(lines), law, r"$\log_{10}\ \|h_{L-1}\|$")
    ax.set_ylim(0, 12)

    names = ["conv:dims=2", "conv:dims=2,padding=zero"]
    curves = first(names, "log10_grad", widths=16, length=64, seeds=4)
    law = (
        r"ring $\times\ ((1+2\cos\frac{\pi}{9})/3)^L$",
        DEPTHS,
        curves[0] + DEPTHS * np.log10((1 + 2 * np.cos(np.pi / 9)) / 3),
    )
    title = "“He's variance is critical”:\nnot with zeros around 8 × 8 images"
    draw(next(panels), title, list(zip(["ring", "zeros"], curves, strict=True)), law, GRADIENT)

    names, linear = ["plain", "rnn:inputs=0"], {"activations": "linear", "initializers": "gaussian", "depths": STEPS}
    curves = first(names, "log10_grad", "root mean square", seeds=64, **linear)
    belief = "mean field", STEPS, np.full(len(STEPS), np.log10(8))
    ax = next(panels)
    ax.axvline(2 * np.sqrt(64), color="0.7", linewidth=0.6, zorder=0)
    labels = ["a matrix for each step", "one for all steps"]
    title = "“Time is depth”:\nup to $T = 2\\sqrt{n}$ (grey; linear, rms of 64)"
    draw(ax, title, list(zip(labels, curves, strict=True)), belief, GRADIENT, "steps $T$")

    names = ["residual2:init=rezero", "residual2"]
    lines = zip(["ReZero", r"$\alpha = 1$"], first(names, "log10_delta"), strict=True)
    title = "“ReZero's gradients vanish”: $\\partial y/\\partial W$ is 0,\na gate; what passes it is 1 at any depth"
    draw(next(panels), title, list(lines), None, r"$\log_{10}\ \|\partial y/\partial h_1\|$")

    figure.savefig(sys.argv[1], dpi=150)
