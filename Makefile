# The one list of commands. `make serve` and `make test` set up all they need; only Python 3.11+ and make must be there.

HOST ?= 127.0.0.1
PORT ?= 8000
URL ?= http://$(HOST):$(PORT)
MODEL ?= mnist
REPLICAS ?= 2
PYTHON ?= python3
VENVS := .venv

# One environment a lock: $(VENVS)/<name> is made from requirements/<name>.txt and again when that changes.
environment = $(VENVS)/$(1)/.complete
SERVICE := $(VENVS)/service/bin/python
TRAINING := $(VENVS)/training/bin/python
TEST := $(VENVS)/test/bin

.PHONY: help serve test fuzz prove up down deploy-test lint format train evaluate bench lock clean

help: ## this list
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

serve: $(call environment,service) ## run the service with the models in models/; HOST and PORT change where
	CONVSERVE_HOST=$(HOST) CONVSERVE_PORT=$(PORT) $(SERVICE) -m service

test: $(call environment,test) ## run all tests but those marked fuzz, slow or docker; without real data sets those marked data are skipped
	$(TEST)/python -m pytest

fuzz: $(call environment,test) ## send 20,000 mutated requests a seed, over all routes, to a service; `make test` sends 2,000
	$(TEST)/python -m pytest -m fuzz

prove: $(call environment,test) ## the long tests under load: restarts, reloads, new versions, memory; `make test` has short ones
	$(TEST)/python -m pytest -m slow

up: ## build the images and start everything with Docker Compose: service, balancer, monitoring; REPLICAS says how many
	REVISION=$$(git describe --always --dirty 2>/dev/null) docker compose up --build --detach --wait --scale service=$(REPLICAS)

down: ## stop what `make up` started; models and measurements stay in their volumes
	docker compose down

deploy-test: $(call environment,test) ## test the deployment on a Docker engine: kill, disconnect, scale, replace; skipped without an engine
	$(TEST)/python -m pytest -m docker

lint: $(call environment,test) ## check style, types and the import rules between packages
	$(TEST)/ruff check .
	$(TEST)/ruff format --check .
	$(TEST)/mypy
	$(TEST)/lint-imports

format: $(call environment,test) ## format the code as `make lint` requires
	$(TEST)/ruff check --fix .
	$(TEST)/ruff format .

train: $(call environment,training) ## train and publish: make train RECIPE=mnist [DATA=mnist.npz], or DATA=images NAME=fruit
	$(TRAINING) -m training train $(RECIPE) $(if $(DATA),--data "$(DATA)") $(if $(NAME),--name $(NAME))

evaluate: $(call environment,training) ## post a whole test split to a running service: make evaluate MODEL=mnist DATA=mnist.npz
	$(TRAINING) -m training verify $(URL) --model $(MODEL) --data $(or $(DATA),$(error name the data set: DATA=mnist.npz))

bench: $(call environment,test) ## load a service and compare it with decoding and ONNX Runtime alone
	$(TEST)/python -m bench $(BENCH)

lock: ## write requirements/*.txt again from pyproject.toml
	$(PYTHON) -m venv $(VENVS)/lock
	$(VENVS)/lock/bin/pip install --quiet uv
	for name in service training test; do \
		$(VENVS)/lock/bin/uv pip compile pyproject.toml --quiet --extra $$name --universal --python-version 3.11 \
			--generate-hashes --no-header --no-annotate --upgrade --output-file requirements/$$name.txt || exit 1; \
	done

clean: ## remove the environments and all caches
	rm -rf $(VENVS) .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(VENVS)/%/.complete: requirements/%.txt
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "convserve needs Python 3.11 or newer")'
	rm -rf $(@D)
	$(PYTHON) -m venv $(@D)
	$(@D)/bin/pip install --quiet --disable-pip-version-check --require-hashes --requirement $<
	touch $@
