# `make` lists the targets. `make demo` and `make test` set up everything they need.

VENV := .venv
PYTHON := $(VENV)/bin/python
READY := $(VENV)/.ready

.DEFAULT_GOAL := help
.PHONY: help setup demo test check format package benchmark bench-extraction bench-rules bench-dedup bench-classifiers clean

help: ## list the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 18

setup: $(READY) ## virtual environment with everything, and Java if it is missing

$(READY): pyproject.toml constraints.txt scripts/setup.sh
	@bash scripts/setup.sh $(VENV)
	@touch $(READY)

demo: $(READY) ## the whole path on real input, from pages to a trained model: about 6 minutes, opens on demo/run/report.html
	@$(VENV)/bin/curate demo --output demo/run
	@$(PYTHON) scripts/open_report.py demo/run/report.html

test: $(READY) check ## style, types and all tests
	@$(PYTHON) -m pytest -n auto --maxprocesses 4 --dist loadfile

check: $(READY) ## style and types only
	@$(VENV)/bin/ruff check .
	@$(VENV)/bin/ruff format --check .
	@$(VENV)/bin/mypy

format: $(READY) ## rewrite files in the project's style
	@$(VENV)/bin/ruff check --fix .
	@$(VENV)/bin/ruff format .

package: $(READY) ## dist/curate.zip, for spark-submit --py-files
	@$(PYTHON) scripts/package.py

benchmark: $(READY) ## what each benchmark measures and how to run it
	@cat benchmarks/README.md

bench-extraction: $(READY) ## main text beside trafilatura's and other peers': minutes; CURATE_DATA names pages with gold texts
	@$(PYTHON) benchmarks/extraction.py

bench-rules: $(READY) ## quality rules beside datatrove's, and through Spark: a few minutes; CURATE_DATA names real texts
	@$(PYTHON) benchmarks/rules.py

bench-dedup: $(READY) ## deduplication beside text-dedup's and datatrove's, at 186 MB and ten times that: 15 minutes
	@$(PYTHON) benchmarks/dedup.py --parts corpus,near

bench-classifiers: $(READY) ## models beside Spark ML, fastText, kenlm and data-selection, and on labels: 20 minutes; CURATE_DATA names real data
	@$(PYTHON) benchmarks/scoring.py

clean: ## remove the environment and the demo
	rm -rf $(VENV) demo
