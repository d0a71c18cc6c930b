# Everything a developer does, from a fresh clone, with nothing installed but Python 3.11 or newer.
# The first target that needs it makes `.venv` and installs the package into it; after that nothing uses the network.

VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
PYTHON ?=

.DEFAULT_GOAL := help
.PHONY: help demo test test-all simulate lint reference bench format clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-9s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: $(STAMP) ## run the word count on a real book
	@$(BIN)/python examples/word_count.py

test: $(STAMP) ## the fast tests: everything not marked slow
	@$(BIN)/python -m pytest -q -m 'not slow' $(ARGS)

test-all: $(STAMP) ## every test
	@$(BIN)/python -m pytest -q $(ARGS)

simulate: $(STAMP) ## random programs in simulated worlds, as many as you want: make simulate ARGS='--seeds 1000'
	@$(BIN)/python -m penstock.testing.simulation $(ARGS)

lint: $(STAMP) ## ruff, formatting, types and import layers (all of them run, even when one fails)
	@failed=; \
	run() { echo "== $$*"; "$(BIN)/$$@" || failed="$$failed [$$*]"; }; \
	run ruff check . ; \
	run ruff format --check . ; \
	run mypy ; \
	run mypy --strict tests/typing/typed_program.py ; \
	run basedpyright --level error --pythonpath $(BIN)/python tests/typing/typed_program.py ; \
	run lint-imports --no-cache ; \
	if [ -n "$$failed" ]; then echo "failed:$$failed" >&2; exit 1; fi

reference: $(STAMP) ## the reference of the API, as pages in docs/reference/api, and those of the options and of REST
	@$(BIN)/python docs/generate_reference.py

bench: $(STAMP) ## the benchmarks
	@$(BIN)/python -m benchmarks $(ARGS)

format: $(STAMP) ## rewrite the code in the project's style
	@$(BIN)/ruff check --fix --exit-zero .
	@$(BIN)/ruff format .

clean: ## remove the virtual environment and every cache
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# `python3` where it is new enough, else the newest versioned interpreter; PYTHON=/path/to/python overrides both.
$(BIN)/python:
	@recent='import sys; sys.exit(sys.version_info < (3, 11))'; \
	for candidate in $(or $(PYTHON),python3 python3.14 python3.13 python3.12 python3.11); do \
		if command -v "$$candidate" >/dev/null 2>&1 && "$$candidate" -c "$$recent"; then \
			echo "making $(VENV) with $$("$$candidate" --version)"; \
			exec "$$candidate" -m venv $(VENV); \
		fi; \
	done; \
	echo "penstock needs Python 3.11 or newer, and found none of: $(or $(PYTHON),python3 python3.14 python3.13 python3.12 python3.11)." >&2; \
	echo "Install one, or name it: make PYTHON=/path/to/python3.11 $(MAKECMDGOALS)" >&2; \
	exit 1

$(STAMP): pyproject.toml | $(BIN)/python
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@$(BIN)/python tests/results/wheel_examples.py --fetch $(VENV)/wheels >/dev/null 2>&1 || \
		echo "the examples of PyFlink could not be fetched; the tests that run them will say so" >&2
	@touch $@
