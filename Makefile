# Two commands: `make run` executes every lesson, `make test` runs the tests. Both set up first.
#
#   make run TORCH_INDEX=…   take torch and torchvision from that index (see README: CPU build)
#   make run PYTHON=python3.13   build .venv with that Python (3.11 or newer)

PYTHON ?= python3
TORCH_INDEX ?=
VENV := .venv
BIN := $(VENV)/bin
UV_INSTALL := $(BIN)/uv pip install --quiet --python $(BIN)/python
READY := $(VENV)/ready

.PHONY: run test test-long lab book slides kit bench atlas lock clean setup releases

run: setup
	$(BIN)/python -m helpers run

test: setup
	$(BIN)/python -m pytest -m "not long" --numprocesses 2 --dist loadgroup

test-long: setup
	$(BIN)/python -m pytest -m long --numprocesses 2 --dist loadgroup

lab: $(READY)
	$(BIN)/jupyter lab notebooks

# The site, from what `make run` executed; what is missing or older than its source is executed first.
book: setup
	$(BIN)/python docs/site/build_site.py

# The half-day plan's, into build/slides; runs the lessons that it needs if they changed.
slides: setup
	$(BIN)/python docs/slides/build_slides.py

# One archive for laptops without a network, with the site and the slides; for another kind of
# laptop: make kit PLATFORM=windows PYTHON_VERSION="3.12 3.13"
# These two are never taken from the environment, where they often mean something else.
PLATFORM =
PYTHON_VERSION =
kit: slides
	$(BIN)/python docs/site/build_site.py --if-older
	$(BIN)/python -m helpers kit $(if $(PLATFORM),--platform $(PLATFORM)) \
		$(PYTHON_VERSION:%=--python %) $(if $(TORCH_INDEX),--torch-index $(TORCH_INDEX))

bench: $(READY)
	$(BIN)/python -m bench

# Hours on two cores; taken up where it stopped. The results stay in build/matrix.jsonl.
atlas: $(READY)
	$(BIN)/missing-aa matrix --releases atlas --output build/matrix.jsonl
	$(BIN)/python -m tools.encode_atlas build/matrix.jsonl
	$(BIN)/python -m tools.silent_changes
	$(BIN)/python -m tools.migration_table
	$(BIN)/python -m tools.readme_picture docs/matrix_window.svg docs/ways_home.svg

lock: $(READY)
	$(BIN)/uv pip compile --quiet pyproject.toml --extra dev --upgrade \
		--universal --python-version 3.11 --no-annotate --no-header --no-emit-index-url --output-file requirements.lock

clean:
	rm -rf build

setup: $(READY) releases

# They lie outside of .venv, and may be gone; a second and no network where they are there.
releases: $(READY)
	@$(BIN)/missing-aa fetch > /dev/null

$(READY): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo \
		"$(PYTHON) is older than Python 3.11; name a newer one: make run PYTHON=python3.12"; exit 1; }
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check uv
ifneq ($(filter-out none,$(TORCH_INDEX)),)
	$(UV_INSTALL) --no-deps --index-url $(TORCH_INDEX) \
		$(shell grep -E '^(torch|torchvision)==' requirements.lock)
endif
	$(UV_INSTALL) --compile-bytecode --requirement requirements.lock
	$(UV_INSTALL) --no-deps --editable .
	$(BIN)/missing-aa fetch
	touch $@
