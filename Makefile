# `make demo` and `make test` are all that a newcomer types: git, make and Python 3.11-3.13 with pip are enough.
PYTHON ?= $(shell for v in 3.13 3.12 3.11; do p=$$(command -v python$$v) && $$p -m pip --version >/dev/null 2>&1 && { echo $$p; exit; }; done; echo python3)
UV := .uv/bin/uv
RUN := .venv/bin/python -m
NODE := tests/integration/clients/node tests/connectors/storage/azurite tests/browser
.DEFAULT_GOAL := help
.PHONY: help demo test test-deep test-all search node check format lint types contracts docs pytest lock bench clean

help:  ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## / - /' | sort

demo: .venv/runtime.stamp  ## one whole night on the emulator, with a fictitious organisation
	$(RUN) crm_compliance demo

test: .venv/dev.stamp node  ## the tests that take minutes; what is skipped says why
	$(RUN) pytest --suite quick -n 3 --dist worksteal -rs

test-deep: .venv/dev.stamp node  ## all the others: scenarios, the kit, chaos, deaths and outages (tests/suites.py)
	$(RUN) pytest --suite deep -n 3 --dist worksteal -rs

test-all: .venv/dev.stamp node  ## both in one run, which collects once and keeps all workers busy to the end
	$(RUN) pytest -n 3 --dist worksteal -rs

search: .venv/dev.stamp  ## look for examples that break a property: others each time, which `make test` does not
	$(RUN) pytest -n 4 --dist worksteal -m hypothesis --hypothesis-profile=search

check: format lint types contracts test-all  ## format, lint, types, import contracts, all tests

format: .venv/dev.stamp
	.venv/bin/ruff format --check .

lint: .venv/dev.stamp
	.venv/bin/ruff check .

types: .venv/dev.stamp
	.venv/bin/mypy

contracts: .venv/dev.stamp
	.venv/bin/lint-imports

docs: .venv/runtime.stamp  ## write what the pages and schemas say of jobs, formats, techniques and the rules
	$(RUN) crm_compliance.cli.docs_pages

bench: .venv/dev.stamp node  ## ratios, measured side by side (takes half an hour); docs/benchmarks.md
	$(RUN) benchmarks.table --output docs
	$(RUN) benchmarks.throughput
	$(RUN) benchmarks.deletes
	$(RUN) benchmarks.ledger
	$(RUN) benchmarks.matching
	$(RUN) benchmarks.answer
	$(RUN) benchmarks.lines
	$(RUN) benchmarks.console

lock: $(UV)  ## resolve the dependencies again; names, versions and hashes only
	$(UV) pip compile -q --universal --generate-hashes --no-emit-index-url --no-annotate --no-header --python-version 3.11 pyproject.toml --group build -o requirements.lock
	$(UV) pip compile -q --universal --generate-hashes --no-emit-index-url --no-annotate --no-header --python-version 3.11 pyproject.toml --group build --group dev -c requirements.lock -o requirements-dev.lock
	for extra in azure timestamp cluster; do $(UV) pip compile -q --universal --generate-hashes --no-emit-index-url --no-annotate --no-header --python-version 3.11 pyproject.toml --extra $$extra -c requirements-dev.lock $$(sed -n 's/^\([A-Za-z0-9._-]*\)==.*/--no-emit-package \1/p' requirements.lock) -o requirements-$$extra.lock || exit; done

$(UV):
	$(PYTHON) -m pip install -q --disable-pip-version-check --target .uv 'uv>=0.13'

.venv/bin/python: | $(UV)
	$(UV) venv -q --allow-existing --python $(PYTHON) .venv

.venv/runtime.stamp: requirements.lock pyproject.toml | .venv/bin/python
	$(UV) pip install -q --compile-bytecode --python .venv/bin/python --require-hashes -r requirements.lock
	$(UV) pip install -q --python .venv/bin/python --no-deps --no-build-isolation -e .
	.venv/bin/python -m compileall -q crm_compliance connectors jobs rules
	touch $@

.venv/dev.stamp: requirements-dev.lock .venv/runtime.stamp
	$(UV) pip install -q --compile-bytecode --python .venv/bin/python --require-hashes -r requirements-dev.lock
	touch $@

# A client library of others for the emulator, a blob service, and a browser. Where npm is missing or has nowhere to install from, their tests are skipped.
node:
	@if command -v npm >/dev/null; then for folder in $(NODE); do \
		$(MAKE) -s $$folder/node_modules/stamp || echo "make: npm could not install $$folder"; done; fi

%/node_modules/stamp: %/package-lock.json
	cd $* && npm ci --silent --no-audit --no-fund --ignore-scripts && npm run --silent --if-present unpack
	touch $@

clean:  ## remove what was made here, the environment included
	find crm_compliance connectors jobs rules tests benchmarks -name __pycache__ -prune -exec rm -rf {} +
	rm -rf .venv .uv $(addsuffix /node_modules,$(NODE)) dist build .pytest_cache .mypy_cache .ruff_cache .hypothesis demo-data
