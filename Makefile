# Everything starts from a bare machine: python3 with venv, make, git, a C compiler, the package registries.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
SOURCES_OF_INSTALL := pyproject.toml hatch_build.py protos/generate.py models/lock.toml \
	services/chassis/memory/wipe_on_free.c $(shell find protos -name '*.proto')

TENSORRT_API := $(VENV)/tensorrt-api
# What only a GPU can do is done where there is one.
GPUS := $(wildcard /dev/nvidia[0-9]*)

.PHONY: setup demo serve test gpu test-gpu check fix audit bench bench-long bench-gpu gpu-api load fuzz clean

setup: $(STAMP)

$(STAMP): $(SOURCES_OF_INSTALL)
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --editable '.[cpu,dev]'
	$(BIN)/python -m models.fetch
	touch $(STAMP)

demo: setup ## photos in, painted photos out, through the gateway; results in out/
	$(BIN)/batchpix demo --out out

serve: setup ## the mesh stays up and tells how to call it; Ctrl-C stops it
	$(BIN)/batchpix up

test: setup gpu-api
	$(BIN)/python -m pytest

gpu: $(VENV)/.gpu ## with a GPU and the CUDA toolkit: packages, and the engines of every feature
	for feature in stylize video dance tryon; do $(BIN)/python -m services.$$feature build-engines || exit; done

$(VENV)/.gpu: $(STAMP)
	$(BIN)/pip install --quiet --disable-pip-version-check --editable '.[gpu]'
	touch $@

test-gpu: setup gpu-api $(if $(GPUS),gpu) ## kernels, canaries and engines on a device; says what is skipped without one
	$(BIN)/python -m pytest tests/gpu

gpu-api: setup $(TENSORRT_API)/10 $(TENSORRT_API)/11 $(TENSORRT_API)/cuda

# TensorRT's Python modules without its libraries, 1.3 MB each: names and signatures to test against.
$(TENSORRT_API)/10: $(STAMP)
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --upgrade --target $@ tensorrt-cu13-bindings==10.16.1.11
	touch $@

$(TENSORRT_API)/11: $(STAMP)
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --upgrade --target $@ tensorrt-cu13-bindings==11.4.0.106
	touch $@

# NVIDIA's bindings of the driver, which need none to be looked at.
$(TENSORRT_API)/cuda: $(STAMP)
	$(BIN)/pip install --quiet --disable-pip-version-check --upgrade --target $@ cuda-bindings==13.5.0
	touch $@

check: setup ## reads only
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/buf lint
	$(BIN)/buf format --diff --exit-code

fix: setup ## writes what check would complain of, where a tool can mend it
	$(BIN)/ruff check --fix
	$(BIN)/ruff format
	$(BIN)/buf format --write

audit: setup ## sends canaries on every path and scans the services for them
	GRPC_VERBOSITY=ERROR $(BIN)/batchpix audit

bench: setup $(VENV)/.bench ## the short form, under five minutes; results stay in bench/results/local
	$(BIN)/python -m bench.serving --short --out bench/results/local
	$(BIN)/python -m bench.transport --minutes 0.3 --out bench/results/local
	$(BIN)/python -m bench.growth --short --out bench/results/local
	$(BIN)/python -m bench.stages --minutes 0.6 --out bench/results/local

bench-long: setup $(VENV)/.bench ## everything beside its peers, about fifty minutes; writes docs/benchmarks.md
	$(BIN)/python -m bench.serving --minutes 25
	$(BIN)/python -m bench.transport --minutes 4
	$(BIN)/python -m bench.growth --minutes 15
	$(BIN)/python -m bench.stages --minutes 4
	$(BIN)/python -m bench.report

$(VENV)/.bench: $(STAMP)
	$(BIN)/pip install --quiet --disable-pip-version-check --editable '.[bench]'
	touch $@

bench-gpu: setup $(if $(GPUS),gpu) ## milliseconds, bytes and shares of the roofline; without a GPU the work is counted alone
	$(BIN)/python -m bench.gpu $(if $(GPUS),,--count)

load: setup ## scenarios (report in out/load.html), then latencies of an open loop
	$(BIN)/pip install --quiet --disable-pip-version-check --editable '.[load]'
	$(BIN)/python -m loadtest scenarios
	$(BIN)/python -m loadtest open

fuzz: setup ## the long run: 200,000 cases against what reads a caller's bytes
	$(BIN)/python -m tests.fuzz 200000

clean:
	rm -rf $(VENV) .peers gen out
