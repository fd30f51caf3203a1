# Builds build/firmware/$(PORT) as ports/$(PORT)/firmware.mk says; `make firmware PORT=...` calls it.
#
# A port's firmware.mk sets PRODUCTS, files in $(OUT), and has a rule for each. It may use what is
# defined here. Each object folder begins anew when a makefile changed: MicroPython's own make does
# not notice other flags.

PORT   ?= unix
JOBS   ?= 2
PYTHON ?= python3

TOP      := $(CURDIR)
NEST     := $(TOP)/build/micropython
SRC      := $(NEST)/src
OUT      := $(TOP)/build/firmware/$(PORT)
HERE     := $(TOP)/ports/$(PORT)
MANIFEST := $(TOP)/micropython/manifest.py
CMODULES := $(TOP)/micropython/cmodule

# For MicroPython's make: $(MAKE_MICROPYTHON)/ports/NAME ... words. No library of Python modules, no git.
MAKE_MICROPYTHON := $(MAKE) --no-print-directory -j$(JOBS) MPY_LIB_DIR=$(NEST)/nolib -C $(SRC)

# What is needed before the port's own rules; a port that is not built from source needs nothing.
NEEDS := mpy-cross

.PHONY: all sources mpy-cross FORCE
all:

ifeq ($(wildcard ports/$(PORT)/firmware.mk),)
$(error no ports/$(PORT)/firmware.mk; there are: $(patsubst ports/%/firmware.mk,%,$(wildcard ports/*/firmware.mk)))
endif
include ports/$(PORT)/firmware.mk

all: $(addprefix $(OUT)/,$(PRODUCTS))
	@ls -l $^

# The port's own sources may have changed: MicroPython's make knows, so it is always asked.
$(addprefix $(OUT)/,$(PRODUCTS)): FORCE | $(NEEDS)

sources:
	@'$(PYTHON)' ports/sources.py >/dev/null

mpy-cross: sources
	@$(MAKE_MICROPYTHON)/mpy-cross >$(NEST)/mpy-cross.log 2>&1 || { tail -n 20 $(NEST)/mpy-cross.log >&2; exit 1; }

$(OUT)/%/begun: ports/firmware.mk $(wildcard $(HERE)/*.mk)
	@rm -rf $(@D)
	@mkdir -p $(@D)
	@touch $@
