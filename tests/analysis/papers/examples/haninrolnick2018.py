import numpy as np
import pandas as pd

from analysis.papers.haninrolnick2018 import DEPTH, SCHEMES, WIDTHS


def lengths(he=1.0, others=0.5, power=1):
    """Lengths that change by these factors a layer, and whose steps vary as width^-power."""
    frames = []
    for scheme in SCHEMES:
        for width in WIDTHS:
            steps = np.random.default_rng(width).standard_normal((200, DEPTH)) * np.sqrt(5 / width**power)
            drift = -steps.var() / 2 + np.log(he if scheme == "he_gaussian" else others)
            total = np.cumsum(steps + drift, axis=1)
            rows = pd.DataFrame(total, columns=range(1, DEPTH + 1)).rename_axis("seed").reset_index()
            rows = rows.melt(id_vars="seed", var_name="layer", value_name="log_square")
            decades = (rows["log_square"] + np.log(width)) / 2 / np.log(10)
            frames.append(rows.assign(initializer=scheme, width=width, log10_activation=decades))
    return {"lengths.layers": pd.concat(frames)}


EXAMPLES = {
    "he keeps": (lengths(power=1), lengths(he=1.2)),
    "others vanish": (lengths(), lengths(others=1.0)),
    "spread": (lengths(), lengths(power=0)),
}
