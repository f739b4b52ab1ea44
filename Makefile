# What builds, runs and checks CleanAir Route. A machine needs Python 3.11 and make; all else goes into .venv, except the
# servers that tests need, which come from the system's packages. `make` alone lists the commands.

SHELL := bash
BIN := .venv/bin
SAY := tools/quietly.sh
# Folders too: their time changes when a contract is added or removed.
CONTRACTS := $(shell find protos)
export PIP_DISABLE_PIP_VERSION_CHECK := 1
INSTALL := $(BIN)/pip install --quiet --no-compile --no-input
LOCK := $(BIN)/pip-compile --quiet --all-build-deps --strip-extras --allow-unsafe \
	--no-header --no-emit-index-url --no-emit-find-links

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.NOTPARALLEL:
.PHONY: help up test test-slow lint types contracts bench lock clean services

help: ## List these commands
	@sed -nE 's/^([a-z-]+):.*## (.*)/make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 18

up: gen/cleanair.binpb ## Run the whole mesh here with a simulated city, until Ctrl-C
	@exec $(BIN)/cleanair up $(ARGS)

test: services lint types contracts ## Check everything: lint, types, contracts, tests (the slow ones aside)
	@$(BIN)/pytest -m 'not slow' $(ARGS)

test-slow: services .venv/.dev-packages gen/cleanair.binpb ## Run the tests that take more than 20 s each
	@$(BIN)/pytest -m slow $(ARGS)

lint: .venv/.dev-packages gen/cleanair.binpb ## Check style, formatting, the rules of imports, and the Dockerfile
	@$(SAY) 'Checking style' $(BIN)/ruff check
	@$(SAY) 'Checking formatting' $(BIN)/ruff format --check
	@$(SAY) 'Checking imports' $(BIN)/lint-imports
	@$(SAY) 'Checking the Dockerfile' $(BIN)/hadolint Dockerfile

types: .venv/.dev-packages gen/cleanair.binpb ## Check types
	@$(SAY) 'Checking types' $(BIN)/mypy

contracts: .venv/.dev-packages gen/cleanair.binpb ## Check the contracts: format, lint, and nothing broken that main promises
	@$(SAY) 'Checking the form of the contracts' $(BIN)/buf format --diff --exit-code protos
	@$(SAY) 'Checking the style of the contracts' $(BIN)/buf lint
	@$(SAY) 'Checking that no contract is broken' $(BIN)/python tools/check_contract_break.py

bench: .venv/.dev-packages gen/cleanair.binpb ## Measure, and print the table of figures
	@$(BIN)/python -m bench $(ARGS)

lock: .venv/.dev-packages ## Renew requirements.lock and requirements-dev.lock from pyproject.toml (ARGS=--upgrade for newer)
	@$(SAY) 'Locking what runs' $(LOCK) --extra all --output-file requirements.lock $(ARGS) pyproject.toml
	@$(SAY) 'Locking what builds and tests' $(LOCK) --all-extras --constraint requirements.lock \
		--output-file requirements-dev.lock $(ARGS) pyproject.toml
	@# Which build of torch is installed is the machine's choice; the release is ours.
	@sed -i 's/^\(torch==[0-9.]*\)+cpu/\1/' requirements.lock requirements-dev.lock

clean: ## Remove everything that was built (collected data and imported cities stay)
	@rm -rf .venv gen third_party dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .numba_cache

services:
	@tools/install_test_services.sh

.venv/bin/python:
	@tools/make_venv.sh $(PYTHON)

.venv/.packages: requirements.lock | .venv/bin/python
	@$(SAY) 'Installing 2/3: packages' $(INSTALL) --requirement $<
	@touch $@

# The editable install generates the code (build_protos.py), and this file last.
gen/cleanair.binpb: pyproject.toml build_protos.py $(CONTRACTS) .venv/.packages
	@$(SAY) 'Installing 3/3: CleanAir Route, with code generated from its contracts' \
		$(INSTALL) --no-build-isolation --no-deps --editable .

.venv/.dev-packages: requirements-dev.lock .venv/.packages
	@$(SAY) 'Installing the tools of development' $(INSTALL) --requirement $<
	@touch $@
