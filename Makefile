PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PLUGINS := $(sort $(dir $(wildcard plugins/*/pyproject.toml)))
EDITABLE := $(foreach plugin,$(PLUGINS),-e ./$(plugin))

.PHONY: help install install-test quickstart test lint types tests slow docs site dist clean

help:  ## Show this list
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/'

install: $(VENV)/installed  ## Make .venv with ganlab and its plugins

install-test: $(VENV)/installed-test  ## The same, with what the tests need

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/installed: $(VENV)/bin/python pyproject.toml $(addsuffix pyproject.toml,$(PLUGINS))
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e . $(EDITABLE)
	@touch $@

$(VENV)/installed-test: $(VENV)/installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[test]'
	@touch $@

quickstart: install  ## Train a small GAN on handwritten digits (about five minutes on two CPU cores)
	$(BIN)/ganlab train experiments/quickstart.yaml --report

test: install-test lint types tests  ## Lint, types and the tests

lint: install-test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: install-test
	$(BIN)/mypy

tests slow: export OMP_NUM_THREADS ?= 1  # networks of tests are too small to be shared by threads

tests: install-test
	$(BIN)/python -m pytest

slow: install-test  ## The tests that take long
	$(BIN)/python -m pytest -m slow

docs: install  ## Write the generated parts of the documentation
	$(BIN)/ganlab schema --markdown --out docs/spec.md
	$(BIN)/python docs/readme_table.py
	$(BIN)/python docs/game_patterns.py

site: install  ## Build the documentation site into build/site
	$(BIN)/python -m pip install --quiet --disable-pip-version-check '.[docs]'
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --quiet

dist: install  ## Build the wheels of all distributions into dist
	$(BIN)/python -m pip install --quiet --disable-pip-version-check build
	@for folder in . $(PLUGINS); do $(BIN)/python -m build --wheel --outdir dist $$folder > /dev/null || exit 1; done
	@ls dist

clean:  ## Remove the virtual environment and caches
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache build dist
