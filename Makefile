# spotfleet: `make demo` and `make test` need git, make and Python >= 3.11; all that they install goes into .venv
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
WORKERS ?= 2

# caches too stay in the folder
export PIP_CACHE_DIR := $(CURDIR)/$(VENV)/cache/pip
export MPLCONFIGDIR := $(CURDIR)/$(VENV)/cache/matplotlib

.PHONY: help demo test test-deep lint format bench-allocate bench-load bench-experiments bench-jobs bench-hazards bench-hindsight docs docs-images clean

help:  ## what can be made
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

demo: $(VENV)/.installed  ## the embedded market, three strategies, a table and the comparison picture
	$(BIN)/spotfleet demo --plot spotfleet-demo.png

test: lint  ## lint, then all tests that are not deep
	$(BIN)/python -m pytest -n $(WORKERS) --dist worksteal -m "not deep"

test-deep: $(VENV)/.dev  ## all tests, with those that take long
	HYPOTHESIS_PROFILE=default $(BIN)/python -m pytest -n $(WORKERS) --dist worksteal

mutants: $(VENV)/.dev  ## change one operator at a time: which changes do a room's own tests not see?
	$(BIN)/python tests/mutants.py

.PHONY: bench-replay mutants
bench-replay: $(VENV)/.bench  ## the replay engine beside a plain loop and SimPy
	$(BIN)/python benchmarks/replay.py --json bench-replay.json

lint: $(VENV)/.dev  ## ruff, mypy strict, import-linter, codespell
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/codespell

format: $(VENV)/.dev  ## put the code into its format
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench-allocate: $(VENV)/.bench  ## the allocation core beside its peers, with the picture; growth to a million pools
	$(BIN)/python benchmarks/allocate.py --json bench-allocate.json --plot bench-allocate.png
	$(BIN)/python benchmarks/growth.py --json bench-growth.json

bench-load: $(VENV)/.dev  ## reading price history beside msgspec, and the cached form (SPOT_DATA: the data sets)
	$(BIN)/python benchmarks/load.py --json bench-load.json

bench-jobs: $(VENV)/.dev  ## jobs and services on availability traces
	$(BIN)/python benchmarks/jobs.py --json bench-jobs.json

bench-hindsight: $(VENV)/.dev  ## hindsight and regret on real markets (SPOT_DATA: the data sets)
	$(BIN)/python benchmarks/hindsight.py --json bench-hindsight.json

bench-hazards: $(VENV)/.dev  ## seeded hazard runs of a year, held to a plain loop
	$(BIN)/python benchmarks/hazards.py --json bench-hazards.json

bench-experiments: $(VENV)/.dev  ## 2021 with bound and null model; two processes against one (SPOT_DATA: the data sets)
	$(BIN)/python benchmarks/experiments.py --json bench-experiments.json

docs-images: $(VENV)/.installed  ## draw the pictures of README and docs
	$(BIN)/spotfleet demo --plot docs/images/comparison.png > /dev/null
	$(BIN)/python docs/examples/run_picture.py docs/images/run.png

docs: $(VENV)/.dev  ## build the documentation's site; a warning is an error
	rm -rf docs/images/gallery
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

clean:  ## remove what make made
	rm -rf $(VENV) site docs/images/gallery .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache spotfleet-demo.png spotfleet-demo.svg

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "spotfleet needs Python >= 3.11; set PYTHON=/path/to/python3.11 (this is $$($(PYTHON) --version 2>&1))" >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); echo "no environment could be made (on Debian and Ubuntu: apt install python3-venv)" >&2; exit 1; }

$(VENV)/.installed: pyproject.toml | $(VENV)/bin/python
	@echo "installing spotfleet into $(VENV) ..."
	$(PIP) install -e .
	@touch $@

$(VENV)/.dev: pyproject.toml | $(VENV)/bin/python
	@echo "installing spotfleet and its development tools into $(VENV) ..."
	$(PIP) install -e '.[dev]'
	@touch $@ $(VENV)/.installed

$(VENV)/.bench: pyproject.toml | $(VENV)/bin/python
	@echo "installing spotfleet and the peers that it is measured against into $(VENV) ..."
	$(PIP) install -e '.[dev,bench]'
	@touch $@ $(VENV)/.installed $(VENV)/.dev
