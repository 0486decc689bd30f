# Everything a fresh machine with python3 (3.11+, with venv) and make needs. `make demo` and `make test`
# do all their set-up themselves.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
CHROMIUM ?= chromium
.DEFAULT_GOAL := help
# Tests start hundreds of processes; what they import is compiled once.
unexport PYTHONDONTWRITEBYTECODE
export CHROMIUM

.PHONY: help demo hub sandbox chromium browser pictures check fast test test-all rest chaos faults storm strange soak fuzz mutants audit format clean

help:
	@echo "make demo     install, start a sandbox, link two accounts, run the example workflow"
	@echo "make test     install, check (lint, types, layers, spelling) and test every promise"
	@echo "make test-all make test, then all other tests: chaos, both databases, fuzz, the whole browser suite"
	@echo "make check    lint, types, layers, spelling only"
	@echo "make fast     the tests that start no processes"
	@echo "make chaos    everything that kills processes, in full size, with its figures; then make storm"
	@echo "make faults   the table of faults, every cell (docs/faults.md)"
	@echo "make storm    1,000 runs find one token expired, 100 times in each kind of trouble (STORM_REPETITIONS)"
	@echo "make strange  500 seeded runs on a sandbox with odd answers, each held against its log (STRANGE=\"--seed 2\")"
	@echo "make soak     10 minutes of workers on PostgreSQL, killed and replaced, with faults (SOAK=\"--seconds 60\")"
	@echo "make fuzz     a million mutated answers, 100,500 mutated files (FUZZ_REPLIES, FUZZ_FRAGMENTS, FUZZ_WHOLE, FUZZ_SEED)"
	@echo "make mutants  mutation testing of auth, replies, vault, limits and journal (about an hour)"
	@echo "make audit    known vulnerabilities of dependencies; secrets in the tree and its history"
	@echo "make browser  the Hub in a real browser (Debian's chromium, which it installs when it may)"
	@echo "make pictures the pictures in docs/hub/, taken anew while every page is looked at"
	@echo "make hub      the Hub with a sandbox beside it"
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

hub: $(VENV)/.demo
	@$(BIN)/apollo-component hub --sandbox

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
	$(BIN)/pytest -m "not real and not chaos and not wheel and not browser"

# Most tests wait for processes, so there are more workers than processors. The browser needs a process of its own: its
# driver keeps an event loop in it. Tests marked "full" are in test-all alone.
test: check chromium
	@mkdir -p build
	@$(BIN)/pytest -n 2 -m "browser and not full" tests/browser >build/browser.log 2>&1 & browser=$$!; \
	$(BIN)/pytest -n 4 -m "not full and not browser"; others=$$?; \
	wait $$browser; inside=$$?; cat build/browser.log; exit $$((others + inside))

test-all: test rest

rest: $(VENV)/.test chromium
	CHAOS_CONNECTIONS=500 $(BIN)/pytest -n 4 -m "full and not browser"
	$(BIN)/pytest -n 2 -m "full and browser" tests/browser
	$(BIN)/pytest --database postgres -m chaos tests/chaos/test_kill_points.py -k "enrich-after_reply or contacts-after_reply"
	FUZZ_REPLIES=100000 FUZZ_FRAGMENTS=10000 FUZZ_WHOLE=50 $(BIN)/python -m tests.fuzz

chaos: $(VENV)/.test
	$(BIN)/pytest -m chaos tests/chaos
	$(BIN)/pytest --database postgres -m chaos tests/chaos/test_kill_points.py
	$(MAKE) storm

mutants: $(VENV)/.test
	$(BIN)/python tests/mutation/run.py

fuzz: $(VENV)/.test
	$(BIN)/python -m tests.fuzz

audit: $(VENV)/.test
	-@$(BIN)/pip install --quiet --disable-pip-version-check -e ".[audit]"
	@$(BIN)/python -m tests.security.audit

# Shorter or otherwise: make soak SOAK="--seconds 60 --workers 2"
soak: $(VENV)/.test
	$(BIN)/python -W ignore -m tests.chaos.soak $(SOAK)

storm: $(VENV)/.test
	$(BIN)/python -m tests.chaos.storm

# Shorter or otherwise: make strange STRANGE="--runs 100 --seed 2"
strange: $(VENV)/.test
	$(BIN)/python -W ignore -m tests.others.strange_runs $(STRANGE)

faults: $(VENV)/.test
	$(BIN)/pytest tests/chaos/faults

chromium:
	@command -v $(CHROMIUM) >/dev/null || { apt-get update -qq && apt-get install -y -qq --no-install-recommends chromium >/dev/null; }

browser: $(VENV)/.test chromium
	$(BIN)/pytest -n 2 -m browser tests/browser

# Whole pages, to look at, are then in build/shots/.
pictures: $(VENV)/.test
	rm -rf build/pictures build/shots
	HUB_SHOTS=1 $(BIN)/pytest -m browser tests/browser/test_every_page.py
	rm -f docs/hub/*
	cp build/pictures/*.webp docs/hub/

format: $(VENV)/.test
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean:
	rm -rf $(VENV) build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
