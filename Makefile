# `make demo`, `make serve` and `make test` need Python 3.11 or newer, make and nothing else.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
# The container engine, and compose: `docker-compose` where it is not a plugin of `docker`.
DOCKER ?= docker
COMPOSE ?= docker compose

.PHONY: demo serve test check soak fuzz bench test-compose clean

$(INSTALLED): pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[dev]'
	touch $@

demo: $(INSTALLED)
	$(BIN)/backprop demo

serve: $(INSTALLED)
	$(BIN)/backprop serve

test: $(INSTALLED)
	$(BIN)/python -m pytest --numprocesses 2 --dist loadgroup

check: $(INSTALLED)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

# SOAK: arguments, such as --minutes 60.
soak: $(INSTALLED)
	$(BIN)/python -m tests.faults.soak $(SOAK)

# FUZZ: arguments, such as --seconds 3600 or --seed 7.
fuzz: $(INSTALLED)
	$(BIN)/python -m tests.app.datasets.fuzz $(FUZZ)

test-compose: $(INSTALLED)
	DOCKER='$(DOCKER)' COMPOSE='$(COMPOSE)' $(BIN)/python -m pytest -vv --exitfirst --durations=8 tests/compose

# PEERS: the Python of an environment with torch and jax, which are too large to install with the rest.
PEERS ?= $(BIN)/python
bench: $(INSTALLED)
	$(BIN)/python -m benchmarks.iteration_time --peers $(PEERS) $(BENCH)

clean:
	rm -rf $(VENV) data
