# Every command of a developer; `make` alone lists them. Of the checks none writes; `generate`,
# `format` and `lock` do.
PYTHON ?= python3
BIN    := .venv/bin
PORT   ?= 8787
# Where the site will be served, which its 404 page, llms.txt and canonical links name; and the folder
# of this build: latest, or a version.
DOCS_PORT    ?= 8000
DOCS_URL     ?= http://127.0.0.1:$(DOCS_PORT)/
DOCS_VERSION ?= latest
# The tests start hundreds of Python processes, which would compile the same modules again.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help install demo test test-floors coverage generate changes check format lint types contract contract-random contract-faults second-opinion breadth interop drift mock bench build fuzz soak simulate interrupt-soak hammer mutate docs docs-serve lock clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  %-16s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

PIP := -m pip install --quiet --disable-pip-version-check

install: .venv/.dev ## set up .venv with locked, hashed dependencies and this project

# What `make demo` needs: the package, and a server for the mock exchange.
.venv/.demo: requirements-demo.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=python3.11 ...")'
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@echo "installing the package with its locked dependencies ..."
	@$(BIN)/python $(PIP) --require-hashes -r requirements-demo.txt
	@$(BIN)/python $(PIP) --no-deps --no-build-isolation -e .
	@touch $@

.venv/.dev: .venv/.demo requirements-dev.txt
	@echo "installing the locked development tools ..."
	@$(BIN)/python $(PIP) --require-hashes -r requirements-dev.txt
	@touch $@

demo: .venv/.demo ## read the example account from the mock exchange, signed, through a real socket
	@$(BIN)/binance-usdm mock run -- $(BIN)/binance-usdm balance

test: install ## run all tests
	$(BIN)/python -m pytest -n auto --dist worksteal

# The plugin of the oldest anyio does not load with a new pytest, and no test uses it.
test-floors: .scratch/floors/.installed ## run all tests with the oldest declared version of every dependency
	.scratch/floors/bin/python -m pytest -n auto --dist worksteal -p no:anyio

.scratch/floors/.installed: requirements-dev.txt pyproject.toml .scratch/lock/.installed
	@test -x .scratch/floors/bin/python || $(PYTHON) -m venv .scratch/floors
	@.scratch/floors/bin/python $(PIP) --require-hashes -r requirements-dev.txt
	@.scratch/lock/bin/uv pip compile --quiet --no-header --resolution lowest-direct --python .scratch/floors/bin/python \
		--extra arrow --extra contract --extra crypto --extra mock --extra redis pyproject.toml -o .scratch/floors.txt
	@.scratch/lock/bin/uv pip install --quiet --python .scratch/floors/bin/python -r .scratch/floors.txt
	@.scratch/floors/bin/python $(PIP) --no-deps --no-build-isolation -e .
	@touch $@

# Coverage itself takes time, imports modules and opens files, which the tests left out would see.
coverage: install ## run all tests, and fail below 97 % of lines and branches
	@mkdir -p .scratch/coverage
	$(BIN)/python -m pytest -n auto --dist worksteal --cov --cov-report=term:skip-covered \
		--ignore=tests/test_speed.py --ignore=tests/test_startup.py \
		--deselect=tests/client/test_errors.py::test_only_errors_load_their_texts \
		--deselect=tests/generator/test_hostile_spec.py::test_a_name_is_rejected_or_works \
		--deselect=tests/hostile/test_catalogue.py::test_a_reply_is_read_rightly_or_refused

contract: install ## run the contract tests: mock and client against the spec, and schemathesis from the shell
	$(BIN)/python -m tests.contract.run_all
	$(BIN)/binance-usdm contract run --max-examples 100

contract-random: install ## the contract tests with a random seed, which is printed, or with SEED
	$(BIN)/python -m tests.contract.run_random $(if $(SEED),--seed $(SEED))

contract-faults: install ## plant every seeded fault, change every fact of the spec, and see which check notices; some minutes
	$(BIN)/python -m tests.contract.run_seeded_faults
	$(BIN)/python -m tests.contract.run_spec_changes

second-opinion: install ## check the verdicts on seeded changes of the spec with generated clients; a minute
	$(BIN)/python -m tests.generator.changes.run_second_opinion

breadth: install ## every shape of operation and 2,000 random specs through generator, mock and contract tests; some minutes
	$(BIN)/python -m tests.specs.breadth

interop: install ## install other SDKs and tools (PyPI, npm): each reads a balance from the mock exchange or the spec
	$(BIN)/python -m tests.interop.run

generate: install ## write the client that the spec describes, and the shells' completion scripts
	$(BIN)/python -m generator
	$(BIN)/python -m generator.output.error_page
	$(BIN)/python -m generator surface
	$(BIN)/python .ci/completions.py

changes: install ## say what the change of the spec means, since the last release or OLD=file
	$(BIN)/python -m generator changes $(OLD)

drift: install ## fail if client, error page, surface or version lag behind the spec
	$(BIN)/python -m generator --check
	$(BIN)/python -m generator.output.error_page --check
	$(BIN)/python -m generator surface --check
	$(BIN)/python -m generator release-check
	$(BIN)/python .ci/completions.py --check

format: install ## format the code
	$(BIN)/ruff check --fix --quiet . || true
	$(BIN)/ruff format .

lint: install ## check style, formatting and who imports whom
	$(BIN)/ruff check .
	$(BIN)/ruff check --select S,BLE,TID251 generated_client/binance_usdm_wire
	$(BIN)/ruff format --check .
	PYTHONPATH=.:generated_client $(BIN)/lint-imports --no-logo --no-cache

types: install ## check types twice: mypy --strict and pyright
	$(BIN)/mypy
	$(BIN)/pyright --pythonpath $(BIN)/python

mock: install ## serve the mock exchange on PORT, with its page
	$(BIN)/binance-usdm mock serve --port $(PORT) --admin

bench: install .scratch/bench/.installed ## measure against the standard library and other SDKs, with tables and plots; half an hour
	.scratch/bench/bin/python benchmarks/run.py --json .scratch/bench/results.json --markdown benchmarks/RESULTS.md --plots benchmarks/plots

.scratch/bench/.installed: requirements-bench.txt pyproject.toml
	@test -x .scratch/bench/bin/python || $(PYTHON) -m venv .scratch/bench
	@.scratch/bench/bin/python $(PIP) --require-hashes -r requirements-bench.txt
	@.scratch/bench/bin/python $(PIP) --no-deps --no-build-isolation -e .
	@touch $@

build: export SOURCE_DATE_EPOCH ?= $(shell git log -1 --format=%ct 2>/dev/null || echo 1767225600)
build: install ## make wheel and sdist twice, compare them, and test the wheel outside of this tree
	@rm -rf dist .scratch/wheel .scratch/again
	$(BIN)/python -m build --no-isolation --outdir dist . > /dev/null
	@mkdir -p .scratch/again && tar -xzf dist/*.tar.gz -C .scratch/again
	@umask 077 && $(BIN)/python -m build --no-isolation --outdir .scratch/again/dist .scratch/again/binance_usdm-* > /dev/null
	@for file in dist/*; do cmp "$$file" ".scratch/again/$$file" || exit 1; done
	@cd dist && $(PYTHON) -c 'import hashlib, pathlib; [print(hashlib.sha256(p.read_bytes()).hexdigest(), p) for p in sorted(pathlib.Path().iterdir())]'
	@$(BIN)/python -m venv .scratch/wheel
	@.scratch/wheel/bin/python $(PIP) dist/*.whl
	@cp tests/check_wheel.py .scratch/check_wheel.py
	cd .scratch && wheel/bin/python -I check_wheel.py ../dist/*.whl
	@cd .scratch && PATH="$(CURDIR)/.scratch/wheel/bin:$$PATH" $(CURDIR)/$(BIN)/pyright --verifytypes binance_usdm --ignoreexternal > types.txt || (cat types.txt && exit 1)
	@grep "Type completeness score" .scratch/types.txt

docs: .scratch/docs-venv/.installed ## build the site in both languages, offline, into .scratch/site
	.scratch/docs-venv/bin/python -m docs.builder --url $(DOCS_URL) --version $(DOCS_VERSION)

docs-serve: docs ## build the site and serve it on DOCS_PORT
	$(PYTHON) -m http.server $(DOCS_PORT) --bind 127.0.0.1 --directory .scratch/site

.scratch/docs-venv/.installed: requirements-docs.txt pyproject.toml
	@test -x .scratch/docs-venv/bin/python || $(PYTHON) -m venv .scratch/docs-venv
	@echo "installing the locked packages of the site ..."
	@.scratch/docs-venv/bin/python $(PIP) --require-hashes -r requirements-docs.txt
	@.scratch/docs-venv/bin/python $(PIP) --no-deps --no-build-isolation -e .
	@touch $@

# The steps before the tests use one processor each.
check: export USDM_REQUIRE_SITE := 1
check: install ## run everything that CI runs
	@$(MAKE) --jobs=2 --output-sync=target lint types drift build docs
	@$(MAKE) test

fuzz: install ## a million damaged and random responses; some minutes
	$(BIN)/python -m tests.hostile.fuzz --cases 1000000 --seed 20261122

soak: install ## 100,000 calls with each client; some minutes
	$(BIN)/python -m tests.hostile.soak --calls 100000

simulate: install ## 1,000 accounts on one transport and one budget, with an exchange in trouble; ten minutes
	$(BIN)/python -m tests.hostile.simulation --minutes 10

interrupt-soak: install ## interrupt, cancel and close calls at random moments; ten minutes
	$(BIN)/python -m tests.hostile.interrupt_soak --minutes 10

hammer: install ## eight processes share one budget in Redis for two minutes and more
	USDM_LONG=1 $(BIN)/python -m pytest -rA tests/policy/test_redis_processes.py

mutate: ## run mutation tests in a copy of the tree; half an hour and more
	@rm -rf .scratch/mutation && mkdir -p .scratch/mutation
	@git ls-files -z | xargs -0 tar -cf - | tar -xf - -C .scratch/mutation
	@$(PYTHON) -m venv .scratch/mutation/.venv
	@cd .scratch/mutation && .venv/bin/python $(PIP) --require-hashes -r requirements-dev.txt
	cd .scratch/mutation && PYTHONPATH=generated_client .venv/bin/mutmut run && .venv/bin/mutmut results

lock: .scratch/lock/.installed ## renew the locked requirements from pyproject.toml
	.scratch/lock/bin/python .ci/lock.py .scratch/lock/bin/uv

.scratch/lock/.installed:
	@$(PYTHON) -m venv .scratch/lock
	@.scratch/lock/bin/python $(PIP) uv packaging
	@touch $@

clean: ## remove build outputs and virtual environments
	rm -rf .venv .scratch dist build .pytest_cache .mypy_cache .ruff_cache .hypothesis .schemathesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
