# The unix port with TLS buffers in the collected heap: 16 KB for an incoming record, and 4 KB.
PRODUCTS := micropython micropython-4k

UNIX := $(MAKE_MICROPYTHON)/ports/unix VARIANT_DIR=$(HERE) ANCHORWATCH=$(TOP)

$(OUT)/micropython: $(OUT)/objects/begun
	@echo "== firmware: $(PORT)"
	$(UNIX) BUILD=$(OUT)/objects TLS_IN=16384
	@cp $(OUT)/objects/micropython $@.new && mv $@.new $@

$(OUT)/micropython-4k: $(OUT)/objects-4k/begun
	@echo "== firmware: $(PORT), records of 4 KB at most"
	$(UNIX) BUILD=$(OUT)/objects-4k TLS_IN=4096
	@cp $(OUT)/objects-4k/micropython $@.new && mv $@.new $@
