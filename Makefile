# Everything a newcomer needs: `make demo` and `make test` set themselves up in .venv.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PRICES ?=
DEMO_ARGUMENTS ?=

.PHONY: demo test soak lint format bench sbom lock clean

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
	$(BIN)/python -m pytest -m "not soak" --numprocesses auto --dist loadfile

# Long runs: seeds of simulated days with faults, crashes at every write, a thousand kills, every changed byte.
SEEDS ?= 10000
PROCESSES ?= 2
soak: $(VENV)/.installed-dev
	mkdir -p out
	$(BIN)/tsingma simulate faults --seed 1 --seeds $(SEEDS) --processes $(PROCESSES) > out/simulation.log || \
		{ grep -A1 FAILED out/simulation.log; exit 1; }
	tail -n 3 out/simulation.log
	$(BIN)/python -m pytest -m soak --hypothesis-profile=anew -rP > out/soak.log || { tail -n 60 out/soak.log; exit 1; }
	tail -n 1 out/soak.log

lint: $(VENV)/.installed-dev
	$(BIN)/ruff format --check src tests benchmarks examples docs/operate
	$(BIN)/ruff check src tests benchmarks examples docs/operate
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(VENV)/.installed-dev
	$(BIN)/ruff format src tests benchmarks examples docs/operate
	$(BIN)/ruff check --fix src tests benchmarks examples docs/operate

bench: $(VENV)/.installed-dev
	$(BIN)/python benchmarks/run.py

# What an installation that serves consists of, as CycloneDX.
sbom: $(VENV)/.installed-dev
	mkdir -p out
	$(BIN)/python docs/operate/software.py sbom > out/sbom.json

# Renew the lock files: `make lock` (needs uv).
LOCK := uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-emit-find-links --no-header \
	--no-emit-package tsingma --python-version 3.11 pyproject.toml
lock:
	$(LOCK) --extra risk --extra analytics --extra reports --extra messages --extra service -o requirements.lock
	$(LOCK) --all-extras -c requirements.lock -o requirements-dev.lock

clean:
	rm -rf $(VENV) out build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
