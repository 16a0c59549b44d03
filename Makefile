# Every target sets up what it needs; `make` alone lists them.
# Variables: PYTHON (3.11 or newer), TORCH_INDEX (an extra package index for torch), ARGS (for pytest or the benchmark),
# PREPARED (for e2e: what it needs has been installed).

PYTHON ?= python3
TORCH_INDEX ?=
ARGS ?=

BIN := .venv/bin
GRADES := .venv/.grades
READY := .venv/.ready
SITE := .venv/.site
PYTEST := $(BIN)/python -m pytest
# limits that are reached, servers that start: a third process has something to do meanwhile.
# Files come in the order of tests/scheduling.py, not those with the most tests first.
MOSTLY_WAITING := -n 3 --dist loadfile --no-loadscope-reorder

# pip's own words, less those about what is there already. The last line tells pip's status from grep's.
SHELL := bash
.SHELLFLAGS := -o pipefail -c
PIP := PIP_PROGRESS_BAR=off $(BIN)/python -m pip install --disable-pip-version-check --no-compile -c constraints.txt
# pip compiles one file after another, this does on all processors; what no version of Python reads stays
COMPILED = $(BIN)/python -m compileall -qq -j 0 $$($(BIN)/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))') || true
TOLD := | { grep --line-buffered -E '^ *(Downloading|Processing|Installing)|^(error|ERROR)' || true; } | cut -c1-100

.DEFAULT_GOAL := help
.PHONY: help demo test test-slow test-gpu e2e lint format release verify schema docs docs-site bench clean

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' Makefile

demo: $(GRADES) ## Grade the example class and show the scores
	@$(BIN)/grader check examples/submissions --output reports/demo; status=$$?; \
	if [ $$status -eq 3 ]; then \
	    echo; echo "The example class holds a file that can't be graded, to show what happens then:"; \
	    echo "it is listed above and \`grader\` ends with status 3. The demo itself went well."; \
	elif [ $$status -ne 0 ]; then exit $$status; fi; \
	echo; echo "The class report, for a browser: reports/demo/index.html"

test: $(READY) ## Run the quick tests
	$(PYTEST) -n 2 --dist loadfile $(ARGS)

test-slow: $(READY) ## Run the tests that take seconds to minutes
	$(PYTEST) -m "slow and not e2e and not gpu" $(MOSTLY_WAITING) $(ARGS)

test-gpu: $(READY) ## Run the tests that need a CUDA device
	$(PYTEST) -m gpu -rs $(ARGS)

e2e: $(READY) ## Run the tests that need a browser, a server or a fresh environment
	$(if $(PREPARED),,tests/e2e/prepare $(BIN)/python || echo "what needs it is skipped" >&2)
	$(PYTEST) -m e2e $(MOSTLY_WAITING) $(ARGS)

lint: $(READY) ## Check format, style, types and layers
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(READY) ## Format the code and repair what can be repaired
	$(BIN)/ruff format
	$(BIN)/ruff check --fix

release: $(READY) ## Turn the lessons into the notebooks that students get
	$(BIN)/grader release

verify: $(READY) ## Gate the suites: promises held, mutants caught, gaps cheap; ARGS=--sample=10 for some
	$(BIN)/grader verify --repeat 3 --output reports/verification.json $(ARGS)

schema: $(READY) ## Write the JSON Schema of gradebook.json
	$(BIN)/python -c 'from pathlib import Path; from grader.reports.gradebook_json import schema; \
	    Path("docs/results.schema.json").write_bytes(schema())'

docs: $(READY) ## Write docs/cli.md from the commands
	$(BIN)/python -m cogapp -r docs/cli.md

docs-site: $(SITE) ## Make the documentation a site: build/site/index.html
	$(BIN)/zensical build --clean --strict

bench: $(READY) ## Measure speed beside nbgrader, Otter and bare pytest; ARGS=--quick to try
	$(BIN)/python benchmarks/startup.py
	TORCH_INDEX=$(TORCH_INDEX) $(BIN)/python -m benchmarks.peers $(ARGS)

clean: ## Remove what these targets made, the environment included
	rm -rf .venv build dist htmlcov reports .coverage \
	    .cache .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	    echo "error: Python 3.11 or newer is needed, $(PYTHON) is older or missing" >&2; \
	    echo "hint: name another one, for example: make $(MAKECMDGOALS) PYTHON=python3.12" >&2; \
	    exit 2; }
	@echo "Making .venv, with $$($(PYTHON) --version)"
	@$(PYTHON) -m venv .venv

# What grading takes: enough for the demo. torch comes first and alone: only it may need another
# index than the rest.
$(GRADES): pyproject.toml constraints.txt | $(BIN)/python
	@echo "Step 1 of 2: PyTorch, the largest part. 200 MB to fetch for processors alone, 3 GB with CUDA:"
	@echo "an index of the former is TORCH_INDEX, see README.md"
	@$(PIP) $(if $(TORCH_INDEX),--extra-index-url $(TORCH_INDEX)) torch $(TOLD)
	@echo "Step 2 of 2: the grader and what the course draws with, 50 MB"
	@$(PIP) -e '.[torch,plots]' $(TOLD)
	@$(BIN)/python -m compileall -q grader  # as pip does with what it copies
	@$(COMPILED)
	@touch $@

$(READY): $(GRADES)
	@echo "What tests and checks of the code take: nbgrader, Jupyter, mypy and others, 150 MB"
	@$(PIP) -e '.[dev]' $(TOLD)
	@$(COMPILED)
	@touch $@

$(SITE): pyproject.toml constraints.txt | $(BIN)/python
	@echo "What makes a site of docs/: Zensical and mkdocstrings, 30 MB"
	@$(PIP) -e '.[docs]' $(TOLD)
	@$(COMPILED)
	@touch $@
