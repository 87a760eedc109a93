from analysis.papers.chen2018 import LONG, SHORT, START, TIED
from tests.analysis.papers.rows import table


def gradients(decades):
    """Gradients that grow by so many decades in 14 steps."""
    value = {"log10_grad_first": lambda rows: 0.9 + decades * (rows["depth"] - START) / (SHORT - START)}
    return {"steps": table(value, architecture=list(TIED), depth=[START, SHORT, LONG])}


EXAMPLES = dict.fromkeys(("untied, short", "untied, long"), (gradients(0.0), gradients(1.0)))
