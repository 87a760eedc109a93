from analysis.papers.micikevicius2018 import LOST, SCALES
from tests.analysis.papers.rows import table


def formats(kept):
    """Shares of zeros: 0.31 at 40 layers, of which ``kept`` is still lost with a scale."""
    frames = {}
    for name in SCALES:
        times = 1.0 if name == "plain" else kept
        frames[f"{name}.formats"] = table(
            {"share_zero_first": lambda rows, times=times: times * LOST * rows["depth"] / 40}, depth=[20, 40, 60]
        )
    return frames


EXAMPLES = {"large scale": (formats(0.001), formats(0.9))}
