# make run   a first report from your own transcripts, a check of the server, how to register it,
#            and a dashboard (in the background for an hour; none where CI is set)
# make test  the tests
# Both do their own set-up in .venv, from pinned and hash-checked requirements.

BIN := .venv/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-input
LOCK := .cache/lock
COMPILE = $(LOCK)/bin/uv pip compile --quiet --no-config --universal --python-version 3.11 \
	--generate-hashes --custom-compile-command "make lock" $(UPGRADE)
# The project's own files that an installation depends on.
PROJECT := pyproject.toml token_tracking/_version.py

.PHONY: help run test lint ruff-check ruff-format pyright lint-imports lock clean

help:
	@echo "make run    read your transcripts, check the server, print how to register it, show a dashboard"
	@echo "make test   run the tests (ARGS='-m \"not slow\"' leaves out those over a second)"
	@echo "make lint   ruff, pyright and import-linter"
	@echo "make lock   pin the requirements anew (UPGRADE=--upgrade takes newer versions)"
	@echo "make clean  remove what the other targets made"
	@echo "PYTHON=/path/to/python3 chooses the Python, which must be 3.11 or later."

run: .venv/.run
	@$(BIN)/token-tracking setup

test: .venv/.dev
	@$(BIN)/python -m pytest -n auto $(ARGS)

lint: ruff-check ruff-format pyright lint-imports

ruff-check: .venv/.dev
	$(BIN)/ruff check

ruff-format: .venv/.dev
	$(BIN)/ruff format --check

pyright: .venv/.dev
	$(BIN)/pyright --pythonpath $(BIN)/python

lint-imports: .venv/.dev
	$(BIN)/lint-imports --no-logo --no-cache

lock: $(LOCK)/.installed
	$(COMPILE) pyproject.toml --group dev --output-file requirements/dev.txt
	$(COMPILE) pyproject.toml --constraints requirements/dev.txt --output-file requirements/runtime.txt
	$(COMPILE) --group build --constraints requirements/dev.txt --output-file requirements/build.txt
	$(COMPILE) --group lock --output-file requirements/lock.txt
	$(COMPILE) --group window-peers --output-file benchmarks/window_peers/requirements.txt
	$(COMPILE) --group gateway-peers --output-file benchmarks/gateway_peers/requirements.txt
	$(COMPILE) --group limiter-peers --output-file benchmarks/limiter_peers/requirements.txt

clean:
	rm -rf .venv .cache build dist *.mcpb
	rm -rf .pytest_cache .ruff_cache .hypothesis .import_linter_cache .coverage
	find benchmarks server tests token_tracking -name __pycache__ -prune -exec rm -rf {} +

.venv/.run: requirements/runtime.txt requirements/build.txt $(PROJECT) | $(BIN)/python
	@echo "Installing token-tracking and what it needs into .venv"
	@$(PIP) --require-hashes -r requirements/runtime.txt -r requirements/build.txt
	@$(PIP) --no-deps --no-build-isolation --editable .
	@touch $@

.venv/.dev: requirements/dev.txt $(PROJECT) | $(BIN)/python
	@echo "Installing token-tracking and its development tools into .venv"
	@$(PIP) --require-hashes -r requirements/dev.txt
	@$(PIP) --no-deps --no-build-isolation --editable .
	@touch $@ .venv/.run

$(BIN)/python:
	@for python in $(or $(PYTHON),python3 python3.14 python3.13 python3.12 python3.11 python); do \
		if $$python -c 'import sys, ensurepip, venv; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; \
		then echo "Creating .venv with $$($$python --version)"; exec $$python -m venv --clear .venv; fi; \
	done; \
	echo "No Python 3.11 or later with venv among: $(or $(PYTHON),python3 python3.14 python3.13 python3.12 python3.11 python)." >&2; \
	echo "Install one (Debian and Ubuntu: apt install python3 python3-venv; macOS: brew install python)," >&2; \
	echo "or name it: make PYTHON=/path/to/python3 $(MAKECMDGOALS)" >&2; \
	exit 1

$(LOCK)/.installed: requirements/lock.txt | $(BIN)/python
	@echo "Installing uv into $(LOCK)"
	@$(BIN)/python -m venv --clear $(LOCK)
	@$(LOCK)/bin/python -m pip install --quiet --disable-pip-version-check --no-input --require-hashes -r requirements/lock.txt
	@touch $@
