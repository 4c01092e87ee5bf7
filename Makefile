# Kimberly's commands. `make help` lists them; each needs Python 3.11 or newer and make, nothing else.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
COMPILE := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header

.DEFAULT_GOAL := help
.PHONY: help up test test-long check docs bench logs screenshots lock clean lint packages

help: ## List these commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-13s %s\n", $$1, $$2 }' Makefile

up: $(INSTALLED) ## Run the whole stack here; Ctrl-C stops it
	@exec $(BIN)/python -m kimberly.local up --stop-with-parent

test: packages lint ## Run every check and test, each promise in its short form
	$(BIN)/python -m pytest -n 2 -q

test-long: packages lint ## Run the same tests with their full counts
	KIMBERLY_TEST_COUNTS=full $(BIN)/python -m pytest -n 2 -q

check: lint ## Lint, check types and run the fast tests, in under a minute
	$(BIN)/python -m pytest -m "not slow and not browser" -n 2 -q

docs: $(INSTALLED) ## Write the lists in docs anew that are made from the code
	@DJANGO_SETTINGS_MODULE=tests.typing_settings $(BIN)/python manage.py generate_docs

bench: $(INSTALLED) ## Measure, and write docs/benchmarks.md
	$(BIN)/python -m tests.bench

logs: $(INSTALLED) ## Show the running stack's logs and follow them
	@exec $(BIN)/python -m kimberly.local logs --follow

screenshots: $(INSTALLED) ## Take the pictures of the portal anew
	$(BIN)/python -m tests.screenshots

lock: $(INSTALLED) ## Lock the requirements anew; with UPGRADE=--upgrade to their newest versions
	$(COMPILE) $(UPGRADE) requirements.in -o requirements.txt
	$(COMPILE) $(UPGRADE) requirements-dev.in -o requirements-dev.txt

clean: $(INSTALLED) ## Remove the local stack's data
	@$(BIN)/python -m kimberly.local clean

lint: $(INSTALLED)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check --quiet .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/djlint templates --quiet

packages: $(INSTALLED)
	@$(BIN)/python -m kimberly.local packages chromium prometheus

# The stamp is touched last: an installation that was cut short is done again.
$(INSTALLED): requirements-dev.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
	  echo "Kimberly needs Python 3.11 or newer; $(PYTHON) is $$($(PYTHON) --version 2>/dev/null || echo missing)." \
	    "Say which to use: make PYTHON=python3.13 $(MAKECMDGOALS)" >&2; exit 1; }
	@test -x $(BIN)/pip || { echo "Making $(VENV)"; $(PYTHON) -m venv $(VENV); }
	@echo "Installing requirements-dev.txt into $(VENV)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.txt
	@touch $@
