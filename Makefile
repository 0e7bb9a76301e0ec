# make reproduce: sets up all that is needed and runs the benchmark on the default configuration.
# make test: sets up the same and runs the tests.
# make reproduce SYNTH=faust runs it on the built-in synthesizer, where amsynth can't be installed.
PYTHON ?= python3
SYNTH ?= amsynth
CORES ?= $(shell nproc)
BIN := .venv/bin
# If it were set, each process would compile the modules that it imports again: two to six seconds of a core.
unexport PYTHONDONTWRITEBYTECODE
# Snakemake and pip cache in the user's home, or here if that can't be written.
ifneq ($(shell cache="$${XDG_CACHE_HOME:-$$HOME/.cache}"; mkdir -p "$$cache" 2>/dev/null && test -w "$$cache" && echo writable),writable)
export XDG_CACHE_HOME := $(CURDIR)/.snakemake/cache
endif
# An environment without interpreter, or whose scripts name another place since it was moved, is made again.
BROKEN := $(shell ! test -L $(BIN)/python || $(BIN)/python -c '' 2>/dev/null || echo broken; ! test -e .venv/installed || \
  { $(BIN)/python -c 'import pip' && test -x "$$(sed -n '1s/^\#!//p' $(BIN)/pip)"; } 2>/dev/null || echo broken)

.PHONY: reproduce test lint types style docs bench publish freeze pretrained setup packages again

# The kernel frees this lock when a run is killed; Snakemake's own would have to be removed by hand.
reproduce: setup
	@flock --nonblock --conflict-exit-code 75 .venv/installed $(BIN)/snakemake -c$(CORES) --nolock --config synth=$(SYNTH); status=$$?; \
	  test $$status != 75 || echo "error: another run is under way in this folder" >&2; exit $$status

# Also installs the system packages that only tests need.
test: PACKAGES := tests
test: setup
	$(BIN)/pytest

lint: types style

types: setup
	$(BIN)/mypy

style: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/snakefmt --check Snakefile workflow
	$(BIN)/lint-imports
	$(BIN)/snakemake --lint

# The documentation site, in site/. Every warning is an error, such as a link without a target.
docs: setup
	$(BIN)/mkdocs build --strict

bench: setup
	$(BIN)/python bench/run.py results/bench/bench.csv

# Make the scores of results/ the published ones, in results/published and README.md.
publish: setup
	$(BIN)/python workflow/publish.py

# Run the campaign, which takes hours and goes on where it was, and make its scores the baselines, in results/baselines
# and README.md.
freeze: setup
	$(BIN)/snakemake -c$(CORES) campaign --config budget=cpu
	$(BIN)/python workflow/freeze.py
	$(BIN)/python workflow/readme.py

# Train the models that belong to the package, about an hour on two cores.
pretrained: setup
	$(BIN)/snakemake -c$(CORES) exported --config budget=pretrained
	$(BIN)/snakemake -c$(CORES) exported --config budget=pretrained_dexed synth=dexed
	cp -r results/pretrained/amsynth16/exported/. flowsynth/inference/pretrained/amsynth16
	cp -r results/pretrained_dexed/dexed64/exported/. flowsynth/inference/pretrained/dexed64

setup: packages .venv/installed

packages:
	@SYNTH=$(SYNTH) sh envs/packages.sh $(PACKAGES)

# The lock holds all packages but torch, whose build depends on the machine. Only what jobs import is compiled, and at once,
# since jobs may not be allowed to write there; librosa's pitch estimators too, which take a while, beside the rest.
.venv/installed: envs/requirements.txt envs/lock.txt pyproject.toml $(if $(BROKEN),again)
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "error: Python 3.11 or newer is needed, $(PYTHON) is $$($(PYTHON) --version). Set PYTHON=... to another"; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' || \
	  { echo "error: $(PYTHON) can't make virtual environments. On Debian and Ubuntu: apt-get install python3-venv"; exit 1; }
	$(PYTHON) -m venv $(if $(BROKEN),--clear) .venv
	$(BIN)/python -m pip install --quiet --require-hashes --requirement envs/pip.txt
	$(BIN)/pip install --quiet --no-compile --no-deps --require-hashes --requirement envs/lock.txt
	$(BIN)/python -c 'from flowsynth.data.out_of_domain.preprocessing import compile_estimators; compile_estimators()' & \
	  $(BIN)/pip install --quiet --no-compile --requirement envs/requirements.txt && \
	  PYTHONWARNINGS=ignore $(BIN)/pip install --quiet --no-deps --no-build-isolation --editable . && \
	  $(BIN)/python -c 'import flowsynth.training.fit, flowsynth.report.run_page, flowsynth.apps.cli, snakemake.cli' && wait $$!
	@touch $@
