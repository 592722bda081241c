# Everything a newcomer needs: `make demo` and `make test` set themselves up in .venv.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PRICES ?=
DEMO_ARGUMENTS ?=

.PHONY: demo test lint format bench lock clean

PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps

# A lock file is a whole closure, every version with its hashes, so nothing is resolved here: one for what the house
# runs on, one that adds what tests, linters and benchmarks need.
$(VENV)/.installed: requirements.lock pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(PIP) --require-hashes -r requirements.lock
	$(PIP) --editable .
	touch $@

$(VENV)/.installed-dev: $(VENV)/.installed requirements-dev.lock
	$(PIP) --require-hashes -r requirements-dev.lock
	touch $@

demo: $(VENV)/.installed
	$(BIN)/tsingma demo $(if $(PRICES),--prices $(PRICES)) $(DEMO_ARGUMENTS)

test: $(VENV)/.installed-dev
	$(BIN)/python -m pytest -m "not soak"

lint: $(VENV)/.installed-dev
	$(BIN)/ruff format --check src tests benchmarks
	$(BIN)/ruff check src tests benchmarks
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(VENV)/.installed-dev
	$(BIN)/ruff format src tests benchmarks
	$(BIN)/ruff check --fix src tests benchmarks

bench: $(VENV)/.installed-dev
	$(BIN)/python benchmarks/run.py

# Renew the lock files: `make lock` (needs uv).
LOCK := uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-emit-find-links --no-header \
	--no-emit-package tsingma --python-version 3.11 pyproject.toml
lock:
	$(LOCK) --extra risk --extra analytics --extra reports -o requirements.lock
	$(LOCK) --all-extras -c requirements.lock -o requirements-dev.lock

clean:
	rm -rf $(VENV) out build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
