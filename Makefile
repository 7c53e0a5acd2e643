# Every command of the project; continuous integration calls only these. `make help` lists them.

VENV ?= .venv
HOST ?= 127.0.0.1
PORT ?= 5000
PYTEST_ARGS ?=
RUN ?= runs/crnn-s
FONTS ?= runs/fonts
LINES ?= 1500000
RENDERERS ?= 1
STAY ?=
# Text and labelled lines of the owner's, where they lie beside the project.
SHARED ?= ../shared
TRAIN_DATA := $(if $(wildcard $(SHARED)/corpus),--corpus $(SHARED)/corpus) \
	$(if $(wildcard $(SHARED)/real/receipts-en),--real $(SHARED)/real/receipts-en:0.26) \
	$(if $(wildcard $(SHARED)/real/screens-zh),--real $(SHARED)/real/screens-zh:0.12)
BIN := $(VENV)/bin

.DEFAULT_GOAL := help
.PHONY: help serve test check fast bench train demo-release docs clean

help:  ## list the commands
	@sed -nE 's/^([a-z-]+):.*## (.*)/  make \1	\2/p' $(MAKEFILE_LIST) | expand -t 20

serve: $(VENV)/.serve  ## install what serving needs and serve on http://127.0.0.1:5000 (PORT=… HOST=…)
	@exec $(BIN)/shizi serve --host $(HOST) --port $(PORT)

test: check  ## install what tests need, run every check and every test
	@scripts/debian_packages
	$(BIN)/pytest -q $(PYTEST_ARGS)

check: $(VENV)/.test  ## style, types and layers, without the tests
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

fast: $(VENV)/.test  ## the tests that take seconds
	$(BIN)/pytest -q -m 'not slow and not acceptance and not peers and not torch' $(PYTEST_ARGS)

bench: $(VENV)/.test  ## measure Shizi, RapidOCR and Tesseract on the project's own pictures
	$(BIN)/shizi bench

train: $(VENV)/.test  ## train crnn-s from nothing, or go on (hours; RUN=… LINES=… RENDERERS=…)
	@scripts/debian_packages packages-train.txt
	@scripts/fetch_fonts $(FONTS) || echo "shizi: training with the fonts there are"
	@mkdir -p $(FONTS)
	@$(BIN)/python scripts/unpack_fonts.py $(FONTS)
	$(BIN)/shizi train recognizer --run $(RUN) --lines $(LINES) --workers $(RENDERERS) \
		--fonts $(FONTS) $(TRAIN_DATA)

demo-release: $(VENV)/.test  ## two releases on this machine in minutes: one promoted, one rolled back (STAY=--stay)
	@scripts/debian_packages
	$(BIN)/python scripts/demo_release.py $(STAY)

docs: $(VENV)/.test  ## check that the documents tell what the program does
	$(BIN)/pytest -q tests/test_readme.py tests/test_errors.py tests/test_public.py \
		tests/test_http_document.py tests/acceptance/test_walk.py

clean:  ## remove everything that can be made again
	rm -rf $(VENV) dist build .mypy_cache .ruff_cache .pytest_cache .hypothesis \
		.import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# A stamp is newer than pyproject.toml when its packages are installed: a second call costs nothing.
$(VENV)/.serve: pyproject.toml
	@python="$$(scripts/find_python)" && { test -x $(BIN)/pip || "$$python" -m venv $(VENV); }
	$(BIN)/pip install --quiet --disable-pip-version-check --editable .
	@touch $@

# Torch comes first and pinned, so that the extras find it there. Any CPU build serves; where pip's
# default index gives a GPU build, choose the index in pip's own configuration (PIP_INDEX_URL,
# PIP_FIND_LINKS or pip.conf).
$(VENV)/.test: pyproject.toml | $(VENV)/.serve
	$(BIN)/pip install --quiet --disable-pip-version-check torch==2.13.0
	$(BIN)/pip install --quiet --disable-pip-version-check --editable '.[dev,bench,train]'
	@touch $@
