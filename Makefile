# `make demo` and `make test` set up what they need in .venv.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# Modules are compiled when they are imported, as most never are.
INSTALL := -m pip install --quiet --disable-pip-version-check --no-compile -c constraints.txt
PIP := $(BIN)/python $(INSTALL)
RUNS := $(VENV)/.runs
STAMP := $(VENV)/.tests

.PHONY: demo test test-tensorflow test-torch check docs bench clean
.DELETE_ON_ERROR:

$(RUNS): pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit("rowwise needs Python 3.11 or newer: make PYTHON=python3.12") if sys.version_info < (3, 11) else None'
	$(PYTHON) -m venv $(VENV)
	$(PIP) -e ".[jax]"
	touch $@

$(STAMP): $(RUNS)
	$(PIP) -e ".[test]"
	touch $@

demo: $(RUNS)
	$(BIN)/rowwise demo

test: $(STAMP) check
	$(BIN)/python -m pytest -n auto

# What trains rows on each of Keras's other backends, each in an environment of its own. Threads of
# torch that wait for each other would take the cores from other tests. What is left out is about
# doing without TensorFlow, whatever the backend.
.venv-%/.tests: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv-$*
	.venv-$*/bin/python $(INSTALL) -e ".[test,$*]"
	touch $@

test-tensorflow test-torch: test-%: .venv-%/.tests
	KERAS_BACKEND=$* OMP_NUM_THREADS=1 TF_CPP_MIN_LOG_LEVEL=3 .venv-$*/bin/python -m pytest -n auto \
		tests/backend tests/layers tests/training --ignore tests/training/test_tensorboard.py

check: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

docs: $(STAMP)
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

# What the benchmarks compare with.
bench: $(STAMP)
	$(PIP) -e ".[bench]"
	$(BIN)/python benchmarks/text.py
	$(BIN)/python benchmarks/counting.py
	$(BIN)/python benchmarks/dataset.py --megabytes 500
	$(BIN)/python benchmarks/ids.py
	$(BIN)/python benchmarks/neighbours.py ../shared/data/similarity/questions-words.txt
	$(BIN)/python benchmarks/vectors.py
	$(BIN)/python benchmarks/step_cost.py
	$(BIN)/python benchmarks/classify.py ../shared/data/labelled

clean:
	rm -rf $(VENV) build dist site demo
