# The reference program: MicroPython's unix port with the agent frozen and the C module in it.
PRODUCTS := micropython

$(OUT)/micropython: $(OUT)/objects/begun
	@echo "== firmware: $(PORT)"
	$(MAKE_MICROPYTHON)/ports/unix BUILD=$(OUT)/objects VARIANT_DIR=$(HERE) ANCHORWATCH=$(TOP)
	@cp $(OUT)/objects/micropython $@.new && mv $@.new $@
