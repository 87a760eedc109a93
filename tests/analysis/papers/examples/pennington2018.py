from analysis.papers.pennington2018 import CUT, SMOOTH
from tests.analysis.papers.rows import table


def spectra(powers):
    """Singular values t^power for t evenly from 0 to 1."""
    value = {"value": lambda rows: (rows["mode"] / 200) ** rows["activation"].map(powers)}
    return {"spectra": table(value, seeds=3, activation=[*SMOOTH, *CUT], mode=range(1, 200))}


AS_PUBLISHED = spectra({"tanh": 1.0, "erf": 1.0, "sine": 1.0, "hard_tanh": 4.0})
THE_OTHER_WAY = spectra({"tanh": 1.0, "erf": 4.0, "sine": 4.0, "hard_tanh": 1.0})
EXAMPLES = dict.fromkeys(("tanh and erf", "tanh and sine", "two classes"), (AS_PUBLISHED, THE_OTHER_WAY))
