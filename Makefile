# Each target sets up what it needs, virtual environment included; nothing has to be installed before.
PYTHON ?= python3
VENV := .venv
NEWEST := .venv-newest
DEMO := .venv-demo
LOWEST := .venv-lowest
SPACE := .venv-space
OLD := -W ignore  # what old versions warn of is theirs
BIN := $(VENV)/bin
PIP := -m pip --disable-pip-version-check install --quiet

COVERED := --cov=fornet_hf --cov-report=term  # processes that tests start are not counted

.DEFAULT_GOAL := help
.PHONY: help demo demo-hub test test-scripts test-newest test-lowest test-space lint format benchmarks docs clean

help:  ## list these targets
	@sed -n 's/^\([a-z-]*\):[^#]*## \(.*\)/\1#\2/p' $(MAKEFILE_LIST) | awk -F'#' '{printf "  make %-14s %s\n", $$1, $$2}'

demo: $(DEMO)/ready  ## take photographs apart and recombine them, without ImageNet
	$(DEMO)/bin/python build/demo.py --out demo

demo-hub: $(DEMO)/ready  ## the same, published to a Hub on this machine and loaded from there
	$(DEMO)/bin/python build/demo.py --out demo --hub

test: test-scripts test-newest  ## run all tests in both environments

test-scripts: $(VENV)/ready  ## run them with datasets 3.6, the last version that runs scripts
	$(BIN)/python -m pytest -n auto

test-newest: $(NEWEST)/ready  ## run them with the newest datasets and without torch; print the coverage
	$(NEWEST)/bin/python -m pytest -n auto $(COVERED)

test-lowest: $(LOWEST)/ready $(LOWEST)-build/ready  ## run them with the oldest versions that the ranges allow
	$(LOWEST)/bin/python -m pytest -n auto $(OLD) --ignore=tests/build/models
	$(LOWEST)-build/bin/python -m pytest -n auto $(OLD) tests/build/models

test-space: $(SPACE)/ready  ## run those of the page in examples/space, in a browser if there is one
	$(SPACE)/bin/python -m pytest tests/space

lint: $(VENV)/ready  ## check style, format and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: $(VENV)/ready  ## mend style and format
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

benchmarks: $(VENV)/ready  ## measure what pages state again, from one clean commit
	$(BIN)/python -m benchmarks

docs: $(VENV)/ready  ## write the pages that come from code and results
	$(BIN)/python docs/make.py

$(VENV)/ready: requirements.txt pyproject.toml
	$(PYTHON) -m venv --clear $(VENV)
	$(BIN)/python $(PIP) -r requirements.txt
	$(BIN)/python $(PIP) --no-deps simple-lama-inpainting==0.1.2 -e .  # it demands Pillow 9, and does without
	# Only a torch for CUDA brings Triton, in a version of its own; its interpreter needs no GPU.
	$(BIN)/python -c "import triton" 2>/dev/null || $(BIN)/python $(PIP) 'triton==3.7.1; sys_platform == "linux"'
	touch $@

$(NEWEST)/ready: tests/requirements-newest.txt pyproject.toml
	$(PYTHON) -m venv --clear $(NEWEST)
	$(NEWEST)/bin/python $(PIP) -r tests/requirements-newest.txt
	$(NEWEST)/bin/python $(PIP) --no-deps -e .
	touch $@

$(LOWEST)/ready: tests/requirements-lowest.txt pyproject.toml
	$(PYTHON) -m venv --clear $(LOWEST)
	$(LOWEST)/bin/python $(PIP) -r tests/requirements-lowest.txt
	$(LOWEST)/bin/python $(PIP) --no-deps -e .
	touch $@

$(LOWEST)-build/ready: tests/requirements-lowest-build.txt pyproject.toml
	$(PYTHON) -m venv --clear $(LOWEST)-build
	$(LOWEST)-build/bin/python $(PIP) -r tests/requirements-lowest-build.txt
	$(LOWEST)-build/bin/python $(PIP) --no-deps simple-lama-inpainting==0.1.2 -e .
	touch $@

$(SPACE)/ready: tests/requirements-space.txt pyproject.toml
	$(PYTHON) -m venv --clear $(SPACE)
	$(SPACE)/bin/python $(PIP) -r tests/requirements-space.txt
	$(SPACE)/bin/python $(PIP) --no-deps -e .
	touch $@

$(DEMO)/ready: build/requirements-demo.txt pyproject.toml
	$(PYTHON) -m venv --clear $(DEMO)
	$(DEMO)/bin/python $(PIP) --no-compile --no-deps -r build/requirements-demo.txt -e .
	touch $@

clean:  ## delete environments, caches and the demo
	rm -rf $(VENV) $(NEWEST) $(DEMO) $(LOWEST) $(LOWEST)-build $(SPACE) demo .pytest_cache .mypy_cache .ruff_cache .hypothesis .coverage*
