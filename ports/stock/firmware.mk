# The agent as bytecode, for any board whose stock firmware is MicroPython 1.24 or newer.
PRODUCTS := package.json
NEEDS    :=

$(OUT)/package.json:
	@mkdir -p $(@D)
	@'$(PYTHON)' ports/stock/bundle.py $(OUT)
