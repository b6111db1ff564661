# Ekiben: `make` alone tells what there is. Needs Python 3.11 to 3.13 and make; everything else goes into .venv.

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help serve train test lint types format tests test-container image lock clean

VENV := .venv
BIN := $(VENV)/bin
PORT ?= 3000

# Usage tracking of BentoML stays off; and what the checks leave behind does not depend on who runs them.
export BENTOML_DO_NOT_TRACK := True

define NEXT

Ekiben is about to serve at http://localhost:$(PORT). Try, in a second terminal:

  curl -X POST -H "Content-Type: application/json" -d '{"feature1": 2, "feature2": 3, "feature3": 4}' http://localhost:$(PORT)/predict

  http://localhost:$(PORT)/           every model, with its typed input and an example to send
  http://localhost:$(PORT)/models     the same for programs

  source $(BIN)/activate
  ekiben models                   what the store holds
  ekiben fit FILE.csv --target COLUMN --name NAME    a model of your own; then: ekiben serve NAME

Ctrl-C stops it.

endef
export NEXT

help: ## this list
	@echo 'Ekiben: from a training script to an API, a batch job and an image.'
	@echo
	@echo 'Start with `make serve`. What there is:'
	@echo
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-15s %s\n", $$1, $$2 }' Makefile
	@echo
	@echo 'Variables: PORT=3000 (serve), PYTHON=python3.12 (which interpreter .venv is made with),'
	@echo 'IMAGE_OPTIONS="--opt network=host" (image: options of docker build),'
	@echo 'BENTOML_HOME=~/bentoml (where the models are stored).'

serve: $(VENV)/train.stamp ## set up .venv, train what the store lacks, serve on PORT
	@$(BIN)/python train --missing --quick
	@printf '%s\n' "$$NEXT"
	@exec $(BIN)/bentoml serve service:Predictor --port $(PORT) --timeout-graceful-shutdown 5

train: $(VENV)/train.stamp ## train all models in full and store a new version of each
	@$(BIN)/python train

test: lint types tests ## lint, types and the whole suite (without the container test)

lint: $(VENV)/dev.stamp ## ruff: rules and format
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/dev.stamp ## mypy, strict
	$(BIN)/mypy

tests: $(VENV)/dev.stamp ## pytest
	$(BIN)/python -m pytest

test-container: $(VENV)/dev.stamp ## build the image, run it and test it (needs docker)
	$(BIN)/python -m pytest -m container

format: $(VENV)/dev.stamp ## put the code in shape
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

image: $(VENV)/train.stamp ## train what the store lacks, build the bento and the image (needs docker)
	@$(BIN)/python train --missing --quick
	@$(BIN)/ekiben image $(IMAGE_OPTIONS)

# The registry's address and this machine's paths stay out of the locks, and whatever this machine's uv is set to, too.
UV_COMPILE = env -u UV_INDEX -u UV_DEFAULT_INDEX -u UV_INDEX_URL -u UV_EXTRA_INDEX_URL -u UV_FIND_LINKS UV_NO_CONFIG=1 \
	$(BIN)/python -m uv pip compile --quiet --universal --python-version 3.11 --fork-strategy fewest --generate-hashes \
	--no-emit-index-url --custom-compile-command 'make lock' $(UPGRADE) pyproject.toml

lock: $(BIN)/python ## pin what pyproject.toml asks for; UPGRADE=--upgrade takes the newest
	@$(BIN)/python -m uv --version >/dev/null 2>&1 || $(BIN)/python -m pip install --quiet uv
	$(UV_COMPILE) --output-file requirements/serve.txt
	$(UV_COMPILE) --extra train --group build --constraint requirements/serve.txt --output-file requirements/train.txt
	$(UV_COMPILE) --extra dev --group build --constraint requirements/train.txt --output-file requirements/dev.txt

clean: ## remove .venv and what the tools left behind; the model store stays
	rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache .hypothesis build dist
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# ---- the virtual environment ----

# The first interpreter that is new enough and can make a virtual environment.
IS_FIT = import ensurepip, sys, venv; sys.exit(not (3, 11) <= sys.version_info < (3, 14))
PYTHON ?= $(shell for each in python3.11 python3.12 python3.13 python3 python; do \
	"$$each" -c '$(IS_FIT)' 2>/dev/null && echo "$$each" && break; done)

$(BIN)/python:
	@'$(PYTHON)' -c '$(IS_FIT)' 2>/dev/null || { \
	echo 'make: $(if $(PYTHON),$(PYTHON) is not,there is no) Python 3.11, 3.12 or 3.13 with the module venv.' >&2; \
	echo 'Install one (Debian: apt-get install python3 python3-venv), or name it: make serve PYTHON=python3.12' >&2; \
	exit 1; }
	@echo 'making $(VENV) with $(PYTHON)'
	@'$(PYTHON)' -m venv $(VENV)

# A stamp stands for "the lock is installed, and so is this checkout". The dev lock holds all of the train lock.
INSTALL = $(BIN)/python -m pip install --disable-pip-version-check --quiet --quiet
INSTALL_CHECKOUT = $(INSTALL) --no-index --no-build-isolation --no-deps --editable .

$(VENV)/train.stamp: requirements/train.txt pyproject.toml | $(BIN)/python
	@echo 'installing requirements/train.txt into $(VENV); the first time takes about a minute'
	@$(INSTALL) --require-hashes --requirement requirements/train.txt
	@$(INSTALL_CHECKOUT)
	@touch $@

$(VENV)/dev.stamp: requirements/dev.txt pyproject.toml | $(BIN)/python
	@echo 'installing requirements/dev.txt into $(VENV); the first time takes about a minute'
	@$(INSTALL) --require-hashes --requirement requirements/dev.txt
	@$(INSTALL_CHECKOUT)
	@touch $@ $(VENV)/train.stamp
