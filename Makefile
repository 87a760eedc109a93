# make            set up, run the presets lecture and atlas, draw their figures
# make test       set up, run the tests           make lint       ruff and pyright
# make bench      the speed comparison            make coverage   theory against measurement, counted
# make compare    12 initializations ranked       make reference  remake results/reference/
PYTHON ?= python3
VENV := .venv
RUN := $(VENV)/bin/python
READY := $(VENV)/.ready
FIGURES := results/lecture/lecture.png results/atlas/heatmap.png results/atlas/heatmap.pdf results/atlas/residual.png

.DEFAULT_GOAL := figures
.PHONY: figures setup test lint format compare bench coverage reference clean

figures: setup
	@$(RUN) -m bench sweep lecture
	@$(RUN) -m bench sweep atlas
	@$(MAKE) --no-print-directory $(FIGURES)
	@echo "figures:" && printf '  %s\n' $(FIGURES)

# The sweeps above touch a manifest only when they measure something, so figures are redrawn only for new rows or new code.
results/lecture/lecture.png: results/lecture/manifest.json $(wildcard analysis/*.py)
	@$(RUN) -m analysis lecture $(@D) --out $@
results/atlas/heatmap.png results/atlas/heatmap.pdf: results/atlas/manifest.json $(wildcard analysis/*.py)
	@$(RUN) -m analysis heatmap $(@D) --out $@
results/atlas/residual.png: results/atlas/manifest.json $(wildcard analysis/*.py bench/theory/*.py)
	@$(RUN) -m analysis heatmap $(@D) --residual --out $@

setup: $(READY)

$(READY): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "depthscale needs Python 3.11 or newer: make PYTHON=python3.x" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(RUN) -m pip install --quiet --disable-pip-version-check --requirement requirements.lock
	$(RUN) -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

test: setup
	$(RUN) -m pytest

lint: setup
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/pyright

format: setup
	$(VENV)/bin/ruff check --fix .
	$(VENV)/bin/ruff format .

# The runs and figures that the README shows, from a clean checkout.
reference: setup
	rm -rf results/reference
	$(RUN) -m bench sweep lecture --no-layers --results results/reference
	$(RUN) -m bench sweep atlas --results results/reference
	$(RUN) -m analysis lecture results/reference/lecture
	$(RUN) -m bench compare --results results/reference
	rm -r results/reference/compare/cells # the table is kept, its 27,648 rows would be 2 MB
	$(RUN) -m analysis heatmap results/reference/atlas
	$(RUN) -m analysis heatmap results/reference/atlas --residual
	$(RUN) -m analysis compare results/reference/compare
	$(RUN) -m analysis phase --activation tanh --out results/reference/phase-tanh.png

compare: setup
	$(RUN) -m bench compare
	$(RUN) -m analysis compare results/compare

bench: setup
	$(RUN) -m tests.perf.speed
	$(RUN) -m tests.perf.training

coverage: setup
	$(RUN) -m tests.perf.coverage

clean:
	rm -rf $(VENV) build *.egg-info
