# Everything a newcomer needs: `make demo` and `make test` set themselves up in .venv.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PRICES ?=
DEMO_ARGUMENTS ?=

.PHONY: demo test lint format bench lock clean

# The lock file is the whole closure, every version with its hashes, so nothing is resolved here.
$(VENV)/.installed: requirements.lock pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --editable .
	touch $@

demo: $(VENV)/.installed
	$(BIN)/tsingma demo $(if $(PRICES),--prices $(PRICES)) $(DEMO_ARGUMENTS)

test: $(VENV)/.installed
	$(BIN)/python -m pytest -m "not soak"

lint: $(VENV)/.installed
	$(BIN)/ruff format --check src tests benchmarks
	$(BIN)/ruff check src tests benchmarks
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(VENV)/.installed
	$(BIN)/ruff format src tests benchmarks
	$(BIN)/ruff check --fix src tests benchmarks

bench: $(VENV)/.installed
	$(BIN)/python benchmarks/run.py

# Renew the lock file: `make lock` (needs uv).
lock:
	uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-emit-find-links --no-header \
		--extra risk --extra analytics --extra reports --extra cluster --extra dev --no-emit-package tsingma --python-version 3.11 -o requirements.lock pyproject.toml

clean:
	rm -rf $(VENV) out build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
