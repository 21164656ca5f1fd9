# `make help` says what there is.
#
# Prerequisites: python3 3.11 to 3.13 with venv, and make. The rest goes into .venv.

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin

# The sample photo, Chelsea the cat, comes with scikit-image.
IMAGE ?= $(shell echo $(VENV)/lib/python3*/site-packages/skimage/data/chelsea.png)
OUTPUT ?= upscaled
XI ?= 0.73

PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
PROJECT := setup.py pyproject.toml $(wildcard */__init__.py)
UV_COMPILE := $(BIN)/uv pip compile --quiet --upgrade --universal --python-version 3.11 \
	--fork-strategy fewest --generate-hashes --custom-compile-command 'make lock'

.PHONY: upscale test lint types docs bazel extras lock clean help
.DELETE_ON_ERROR:

upscale: $(VENV)/.runtime
	$(BIN)/python -m bigans "$(IMAGE)" --output="$(OUTPUT)" --xi="$(XI)"
	@echo "Wrote $(OUTPUT). For more: . $(BIN)/activate, then bigans-upscale --help"

help:
	@echo "make upscale [IMAGE=photo.jpg] [OUTPUT=out.png] [XI=0.73]"
	@echo "               a photo in, a 4x photo out; without IMAGE a sample photo, into upscaled/"
	@echo "make extras EXTRAS=openvino,heic"
	@echo "               adds what these extras need; README lists them"
	@echo "make test      all tests"
	@echo "make lint      ruff: rules and format"
	@echo "make types     pyright"
	@echo "make docs      the documentation as a site, in build/site"
	@echo "make bazel     builds all targets of BUILD and runs its quick tests; needs bazel"
	@echo "make lock      renew the lock files"
	@echo "make clean     remove what the others made, pictures aside"
	@echo "The first call sets up $(VENV): 2.0 GB, or 4.0 GB with the developer tools."
	@echo "PYTHON=python3.12 names another Python, VENV=DIR another place."

test: $(VENV)/.dev
	$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder

lint: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

docs: $(VENV)/.dev
	$(BIN)/python -m mkdocs build

types: $(VENV)/.dev
	$(BIN)/pyright --pythonpath $(BIN)/python

bazel: $(VENV)/.dev
	PATH="$(abspath $(BIN)):$$PATH" bazel build //:all
	PATH="$(abspath $(BIN)):$$PATH" bazel test --test_tag_filters=-slow //:all

extras: $(VENV)/.runtime
	@$(BIN)/python .ci/extra_requirements "$(EXTRAS)" > $(VENV)/extra_requirements.txt
	$(PIP) install -r $(VENV)/extra_requirements.txt

lock: $(VENV)/.dev
	$(UV_COMPILE) --output-file requirements.lock requirements.in
	$(UV_COMPILE) --constraint requirements.lock --output-file requirements-dev.lock requirements-dev.in
	grep '^[a-z0-9-]*==' requirements-dev.lock | grep -v '^pillow==' | cut -d' ' -f1 > requirements-demo.pins
	$(UV_COMPILE) --constraint requirements-demo.pins --no-annotate --output-file requirements-demo.lock requirements-demo.in
	rm requirements-demo.pins

clean:
	rm -rf $(VENV) build *.egg-info .pytest_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# Stamps: a fresh environment; what the program runs on; that and the developer tools.
$(VENV)/.created:
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' || { \
	  echo "make: $(PYTHON) is missing, or not Python 3.11 to 3.13 (TensorFlow 2.21 has no other)." \
	    "Name another: make PYTHON=python3.12 ..." >&2; \
	  exit 1; }
	@$(PYTHON) -m venv --clear $(VENV) || { \
	  echo "make: $(PYTHON) cannot make a virtual environment. On Debian: apt install python3-venv" >&2; \
	  exit 1; }
	@touch $@

$(VENV)/.runtime: $(VENV)/.created requirements.lock $(PROJECT)
	@echo "Downloading and installing the program into $(VENV): 2.0 GB, some minutes ..."
	$(PIP) install -r requirements.lock
	$(PIP) install --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/.dev: $(VENV)/.runtime requirements-dev.lock
	@echo "Downloading and installing the developer tools into $(VENV): 1.3 GB, some minutes ..."
	$(PIP) install -r requirements-dev.lock
	@touch $@
