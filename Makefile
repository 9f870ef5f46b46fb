# Every task of the project. `make demo` and `make test` need only Python 3.11+, make and git: they set up the rest.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
PEERS := .venv-peers

.PHONY: help setup demo kafka postgresql stack test test-all storm check format generate bench peers lock clean
help: ## list the tasks
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 12

setup: $(READY) ## make the virtual environment from the pinned lock
$(READY): requirements.lock pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	touch $@

demo: $(READY) ## run the whole line on synthetic people (SIZE=small|medway, BUS=kafka, REGISTRY=postgresql)
	$(BIN)/hwlink demo --size $(or $(SIZE),small) --bus $(or $(BUS),sqlite) --registry $(or $(REGISTRY),sqlite)

kafka postgresql: $(READY)
	$(BIN)/python -m services.stack $@
kafka: ## start a real Kafka broker, say where it is, and stop it with Ctrl-C
postgresql: ## start a real PostgreSQL server, say where it is, and stop it with Ctrl-C
stack: $(READY) ## start both
	$(BIN)/python -m services.stack kafka postgresql

test: $(READY) ## run the quick tests
	$(BIN)/python -m pytest -n 2 -m "not slow" $(ARGS)

test-all: $(READY) ## run every test, the long ones too
	$(BIN)/python -m pytest -n 2 $(ARGS)

check: $(READY) ## lint, types, import contracts, drift of generated files, deployment files
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache
	$(BIN)/python -m services.generate --check
	$(BIN)/check-jsonschema --quiet --builtin-schema vendor.compose-spec deploy/compose/compose.yaml
	$(BIN)/kubernetes-validate --strict --quiet $(filter-out %/kustomization.yaml,$(wildcard deploy/kubernetes/*.yaml))

format: $(READY) ## format the code and apply safe fixes
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

generate: $(READY) ## write generated code, JSON Schemas, AsyncAPI and the command reference
	$(BIN)/python -m services.generate

storm: $(READY) ## let the whole line crash on real servers, short; or longer: ARGS="--crashes 100 --records 1000000"
	$(if $(ARGS),$(BIN)/python -m tests.robustness.storm $(ARGS),\
	  $(BIN)/python -m pytest --require-brokers tests/robustness -m "slow and brokers" -k "storm or outage")

bench: $(READY) ## run the benchmarks and write their results as JSON
	$(BIN)/python -m tests.bench.run $(ARGS)

peers: $(READY) $(PEERS)/.ready ## set hwlink beside Splink, anonlink and recordlinkage, in an environment of their own
	$(BIN)/python -m tests.bench.peers $(ARGS)
$(PEERS)/.ready: tests/bench/peers/requirements.lock
	test -x $(PEERS)/bin/python || $(PYTHON) -m venv $(PEERS)
	$(PEERS)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $<
	touch $@

lock: ## pin every dependency with hashes and without download addresses (needs uv)
	uv pip compile pyproject.toml --extra dev --generate-hashes --universal --python-version 3.11 \
	  --no-emit-index-url --no-annotate --no-header --quiet -o requirements.lock
	uv pip compile tests/bench/peers/requirements.in --generate-hashes --universal --python-version 3.11 \
	  --no-emit-index-url --no-annotate --no-header --quiet -o tests/bench/peers/requirements.lock

clean: ## remove what the tasks made
	rm -rf $(VENV) $(PEERS) out build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis *.egg-info
