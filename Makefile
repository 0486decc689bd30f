# Everything a fresh machine with python3 (3.11+, with venv) and make needs. `make demo` and `make test`
# do all their set-up themselves.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
.DEFAULT_GOAL := help

.PHONY: help demo test check fast real sandbox format clean

help:
	@echo "make demo     install, start a sandbox, link two accounts, run the example workflow"
	@echo "make test     install, check (lint, types, layers, spelling) and run every test"
	@echo "make check    lint, types, layers, spelling only"
	@echo "make fast     the tests that start no processes"
	@echo "make sandbox  start a local Apollo"

$(VENV)/.demo: pyproject.toml hatch_build.py
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check -e ".[host,sandbox]"
	@touch $@

$(VENV)/.test: pyproject.toml hatch_build.py
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check -e ".[test]"
	@touch $@ $(VENV)/.demo

demo: $(VENV)/.demo
	@$(BIN)/apollo-component demo

sandbox: $(VENV)/.demo
	@$(BIN)/apollo-component sandbox

check: $(VENV)/.test
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/codespell
	$(BIN)/apollo-component validate connector.yaml

fast: $(VENV)/.test
	$(BIN)/pytest -m "not real and not chaos and not wheel"

test: check
	$(BIN)/pytest -n 2 --dist loadgroup -m "not chaos"
	$(BIN)/pytest -n 2 -m chaos tests/chaos
	$(BIN)/pytest --database postgres -m chaos tests/chaos/test_kill_points.py -k "enrich-after_reply or contacts-after_reply"

format: $(VENV)/.test
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean:
	rm -rf $(VENV) build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
