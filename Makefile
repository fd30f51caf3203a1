# What one types. Everything that is installed goes into .venv (and build/), and is said before it is done.

PYTHON  ?= python3
VENV    ?= .venv
# Processes pytest uses at once, each with whole files: two a CPU, since a third of their time is waiting; 0 is one process,
# the quietest on a small machine.
WORKERS ?= 4
# Further words for pytest: make test PYTEST="tests/core -k twin"
PYTEST  ?=

BIN   := $(VENV)/bin
STAMP := $(VENV)/.anchorwatch-installed
RUN_PYTEST := $(BIN)/python -m pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder

.PHONY: help demo test long ci-lanes lint bench firmware sizes clean

help:
	@echo 'make demo      a device, its cloud and eleven acts, about 3 minutes; report in build/demo'
	@echo 'make test      every test that needs no hardware and no patience'
	@echo 'make lint      ruff, and mypy on the portable part'
	@echo 'make bench     the figures, beside azure-iot-device and paho; report in build/bench'
	@echo 'make firmware  MicroPython with the agent in it: PORT=unix or another folder of ports/'
	@echo 'make sizes     what a board takes, under QEMU and beside it; figures in build/sizes.json'
	@echo 'make ci-lanes  the other CPythons found here, what takes its time, and the firmware'
	@echo 'make long      full counts and the bench; hours, by hand'
	@echo 'make clean     remove $(VENV), build/ and caches'

$(STAMP): setup.cfg pyproject.toml .ci/venv
	@.ci/venv '$(PYTHON)' '$(VENV)'
	@touch $@

demo: $(STAMP)
	@$(BIN)/python -m hil.demo

test: $(STAMP)
	@mkdir -p build
	$(RUN_PYTEST) -m 'not long and not lane_cpython and not lane_firmware' --junitxml=build/test.xml $(PYTEST)

# Hours, by hand: full counts of everything random, and the whole bench.
long: $(STAMP)
	@mkdir -p build
	@.ci/system faketime faketime
	for port in unix unix-small-heap stock qemu-mps2; do $(MAKE) --no-print-directory firmware PORT=$$port || exit 1; done
	ANCHORWATCH_COUNTS=full $(RUN_PYTEST) -m 'not lane_cpython' --junitxml=build/long.xml $(PYTEST)
	@$(BIN)/python -m hil.bench

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/mypy agent/anchorwatch/config.py  # its stub hides it from the line above

bench: $(STAMP)
	@.ci/system valgrind valgrind
	@$(BIN)/python -m hil.bench

ci-lanes: $(STAMP)
	@.ci/lanes '$(BIN)/python'

# PORT is a folder of ports/ with a firmware.mk. Sources come from the Debian archive, once.
PORT ?= unix
firmware:
	@mkdir -p build
	@flock build/firmware.lock \
		$(MAKE) --no-print-directory -f ports/firmware.mk PORT='$(PORT)' PYTHON='$(PYTHON)'

# Programs first: what is frozen in them is measured. About twenty minutes; TARGET=qemu-mps2 for one.
TARGET ?=
sizes: $(STAMP)
	@$(MAKE) --no-print-directory firmware PORT=unix-small-heap
	@$(MAKE) --no-print-directory firmware PORT=qemu-mps2
	@$(BIN)/python -m hil.bench.sizes $(TARGET)

clean:
	rm -rf $(VENV) build agent/*.egg-info .pytest_cache
	find agent hil micropython ports tests -name __pycache__ -type d -prune -exec rm -rf {} + 2>/dev/null || true
