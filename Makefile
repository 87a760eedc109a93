# make            set up, run the presets lecture, atlas, remedies and digits, draw their figures, write a page
# make test       set up, run the tests           make lint       ruff and pyright
# make smoke      every paper of the gallery at its smallest size
# make thorough   the tests that take longest, and those of bits with programs compiled as users' are; PART=2/10: a tenth
# make bench-device  what to measure first on an accelerator: DEVICE="--widths 16 64 --large 512" on a CPU
# make bench      the speed comparison            make coverage   theory against measurement, counted
# make calibration  how often ranks and slope intervals are wrong, counted
# make compare    12 initializations ranked       make reference  remake results/reference/
# make lesson     run docs/lesson.ipynb           make api        pages of the public functions
PYTHON ?= python3
VENV := .venv
RUN := $(VENV)/bin/python
READY := $(VENV)/.ready
PART := 1/1
DRAWS := $(wildcard analysis/*.py analysis/*/*.py bench/theory/*.py)
TRAINED := trainability learning-time curves cost
FIGURES := results/lecture/lecture.png results/atlas/heatmap.png results/atlas/heatmap.pdf results/atlas/residual.png \
	results/remedies/remedies.png \
	$(TRAINED:%=results/digits/%.png)
PAGE := results/atlas/report.html

.DEFAULT_GOAL := figures
.PHONY: figures setup test smoke thorough lint format compare bench bench-device lesson api coverage calibration calibration-boundary reference reference-sweeps reference-trainings reference-papers clean

figures: setup
	@$(RUN) -m bench sweep lecture
	@$(RUN) -m bench sweep atlas
	@$(RUN) -m bench sweep remedies
	@$(RUN) -m bench train digits
	@$(MAKE) --no-print-directory $(FIGURES) $(PAGE)
	@echo "figures:" && printf '  %s\n' $(FIGURES)
	@echo "open this in a browser:" && printf '  %s\n' $(PAGE)

# The runs above touch a manifest only when they measure something, so figures are redrawn only for new rows or new code.
results/lecture/lecture.png: results/lecture/manifest.json $(DRAWS)
	@$(RUN) -m analysis lecture $(@D) --out $@
results/atlas/heatmap.png results/atlas/heatmap.pdf: results/atlas/manifest.json $(DRAWS)
	@$(RUN) -m analysis heatmap $(@D) --out $@
results/atlas/residual.png: results/atlas/manifest.json $(DRAWS)
	@$(RUN) -m analysis heatmap $(@D) --residual --out $@
results/remedies/remedies.png: results/remedies/manifest.json $(DRAWS)
	@$(RUN) -m analysis remedies $(@D) --out $@
$(PAGE): results/atlas/manifest.json $(DRAWS) $(wildcard analysis/report/assets/*)
	@$(RUN) -m analysis report $(@D) --out $@
$(TRAINED:%=results/digits/%.png): results/digits/manifest.json $(DRAWS)
	@$(RUN) -m analysis $(@F:.png=) $(@D) --out $@

setup: $(READY)

$(READY): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "depthscale needs Python 3.11 or newer: make PYTHON=python3.x" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(RUN) -m pip install --quiet --disable-pip-version-check --requirement requirements.lock
	$(RUN) -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

test: setup
	$(RUN) -m pytest --numprocesses auto --dist loadfile -m "not thorough and not smoke"

smoke: setup
	$(RUN) -m pytest --numprocesses auto --dist loadgroup -m smoke tests/analysis/papers/test_smoke.py

# Of the files that have such tests alone: collecting the others takes 20 seconds.
marked = $(shell grep -rl --include='test_*.py' 'mark\.$(1)' tests)
thorough: setup
	$(RUN) -m pytest --numprocesses auto --dist loadfile -m "thorough and not optimized" --part $(PART) $(call marked,thorough)
	$(RUN) -m pytest --numprocesses auto --dist loadfile -m optimized --optimized --part $(PART) $(call marked,optimized)

lint: setup
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/pyright

format: setup
	$(VENV)/bin/ruff check --fix .
	$(VENV)/bin/ruff format .

# The runs and figures that the README shows, from a clean checkout.
reference: reference-sweeps reference-trainings reference-papers

reference-sweeps: setup
	rm -rf $(addprefix results/reference/,lecture atlas compare remedies cures probe phase-tanh.png beliefs.png)
	$(RUN) -m bench sweep lecture --no-layers --results results/reference
	$(RUN) -m bench sweep atlas --results results/reference
	$(RUN) -m analysis lecture results/reference/lecture
	$(RUN) -m bench compare --results results/reference
	rm -r results/reference/compare/cells # the table is kept, its 27,648 rows would be 2 MB
	$(RUN) -m bench sweep remedies --results results/reference
	$(RUN) -m analysis remedies results/reference/remedies
	$(RUN) -m bench sweep cures --results results/reference
	$(RUN) -m analysis heatmap results/reference/cures
	$(RUN) docs/examples/beliefs.py results/reference/beliefs.png
	$(RUN) -m analysis heatmap results/reference/atlas
	$(RUN) -m analysis heatmap results/reference/atlas --residual
	$(RUN) -m analysis heatmap results/reference/atlas --value relative_imbalance --out results/reference/atlas/imbalance.png
	$(RUN) -m analysis compare results/reference/compare
	$(RUN) -m analysis phase --activation tanh --out results/reference/phase-tanh.png
	$(RUN) -m bench probe docs.examples.convnet:make --seeds 4 --run probe --results results/reference
	$(RUN) -m analysis probe results/reference/probe
	$(RUN) docs/examples/curves.py results/reference/probe/curves.png

# Learning curves, the boundary's 65,536 rows and the cure's small shards would be 3 MB: their figures are kept, and all manifests.
reference-trainings: setup
	rm -rf $(addprefix results/reference/,digits saxe schoenholz boundary cure)
	for preset in digits saxe schoenholz boundary; do $(RUN) -m bench train $$preset --results results/reference || exit 1; done
	$(RUN) -m bench train remedies --run cure --results results/reference
	$(RUN) -m analysis trainability results/reference/digits
	$(RUN) -m analysis cost results/reference/digits
	$(RUN) -m analysis curves results/reference/digits --initializers orthogonal --depths 8 64 --scales 0.4 1 1.4 2.2 --learning-rates 0.03
	$(RUN) -m analysis learning-time results/reference/saxe
	$(RUN) -m analysis trainability results/reference/schoenholz
	$(RUN) -m analysis boundary results/reference/boundary
	$(RUN) -m analysis cure results/reference/cure
	rm -r $(addprefix results/reference/,$(addsuffix /curves,digits saxe schoenholz cure) boundary/cells cure/cells)

# The gallery at its quick size; runs are kept in results/papers, and of its figures small copies.
reference-papers: setup
	rm -rf results/reference/papers
	$(RUN) -m analysis papers
	$(RUN) docs/examples/thumbnails.py results/reference/papers results/papers/*.png
	cp results/papers/table.* results/reference/papers/

compare: setup
	$(RUN) -m bench compare
	$(RUN) -m analysis compare results/compare

bench: setup
	$(RUN) -m tests.perf.speed
	$(RUN) -m tests.perf.training
	$(RUN) -m tests.perf.unbounded
	$(RUN) -m tests.perf.architectures
	$(RUN) -m tests.perf.scaling

bench-device: setup
	$(RUN) -m tests.perf.device $(DEVICE)

# The notebook from end to end, as a class would run it; nothing of it is kept.
lesson: setup
	$(VENV)/bin/jupyter-execute --timeout=300 docs/lesson.ipynb

# The public functions: one page of one line each (in git), and whole pages in build/api/.
api: setup
	$(RUN) docs/api.py
	$(VENV)/bin/pdoc --docformat restructuredtext --output-directory build/api bench bench.theory analysis.figures

coverage: setup
	$(RUN) -m tests.perf.coverage
	$(RUN) -m tests.perf.block_coverage

calibration: setup
	$(RUN) -m tests.perf.calibration

# The dimension of a boundary on curves of known dimension: where analysis/numbers/calibration.py comes from.
calibration-boundary: setup
	$(RUN) -m tests.perf.boundary

clean:
	rm -rf $(VENV) build *.egg-info
