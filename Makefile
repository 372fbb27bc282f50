# Each target does all of its own set-up: a virtual environment in .venv with the versions of constraints.txt.
SHELL := /bin/bash
.DEFAULT_GOAL := help
PY := .venv/bin/python
OUT ?= outputs
WORKERS ?= 2

.PHONY: help setup demo test test-all lint bench wheel clean

help: ## list the targets
	@grep -E '^[a-z-]+:.*##' Makefile | sed -E 's/:.*## /\t/' | expand -t 12

setup: .venv/.ready ## create .venv and install ftfkit, its plugins and the tools

.venv/.ready: pyproject.toml constraints.txt tools/setup.sh $(wildcard plugins/*/pyproject.toml)
	@bash tools/setup.sh
	@touch .venv/.ready

demo: setup ## the main job on embedded synthetic data: focal loss against the champion, verdict and dossier
	$(PY) -m ftfkit loss=focal/standard universe=defi_top5 hpo=quick output.dir="$(OUT)" -m

test: setup ## all tests but those marked slow
	$(PY) -m pytest -n $(WORKERS) -m "not slow"

test-all: setup ## all tests, slow ones included
	$(PY) -m pytest -n $(WORKERS)

lint: setup ## ruff, mypy --strict, import-linter
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	$(PY) -m mypy
	.venv/bin/lint-imports

bench: setup ## benchmarks against a hand-written loop and kernel peers; prints ratios measured in one run
	$(PY) benchmarks/run.py

wheel: setup ## build the core's wheel and the plugins' into dist/
	@for project in . plugins/*/; do $(PY) -m build --wheel --no-isolation --outdir dist "$$project" || exit 1; done

clean: ## remove .venv, caches and built wheels; outputs/ stays
	rm -rf .venv dist .pytest_cache .mypy_cache .ruff_cache .import_linter_cache
