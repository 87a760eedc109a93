import numpy as np

from analysis.papers.zhang2019 import DEEP, DEPTHS, FIXUP, NAMES, STANDARD, SWEPT
from tests.analysis.papers.rows import learned, table


def gradients(standard, fixup, passed=0.0):
    """Squared gradients that grow by the first factor a block, or are a power of L; and what a block does to cotangents."""

    def decades(rows):
        grown = rows["depth"] * np.log10(standard) / 2
        return np.where(rows["architecture"] == STANDARD, grown, fixup * np.log10(rows["depth"]))

    axes = {"architecture": list(NAMES), "depth": SWEPT}
    passes = {"log10_delta": lambda rows: passed * rows["depth"]}
    return {"depth": table({"log10_grad_last": decades}, **axes), "depth.layers": table(passes, layer=[1], **axes)}


def times(fixup, standard, shallow=20.0):
    """Learning times at the deeper of two depths over those at the other one."""

    def steps(rows):
        return shallow * np.where(rows["depth"] == DEEP, np.where(rows["architecture"] == FIXUP, fixup, standard), 1.0)

    return {"train": learned(steps, architecture=list(NAMES), depth=DEPTHS)}


EXAMPLES = {
    "standard explodes": (gradients(3.0, -0.5), gradients(1.0, -0.5)),
    "Fixup's gradient": (gradients(3.0, -0.5), gradients(3.0, 0.5)),
    "identity": (gradients(3.0, -0.5), gradients(3.0, -0.5, passed=0.1)),
    "trains deep": (times(1.0, np.inf), times(10.0, np.inf)),
    "standard does not": (times(1.0, np.inf), times(1.0, 1.0), times(1.0, np.inf, shallow=np.inf)),
}
