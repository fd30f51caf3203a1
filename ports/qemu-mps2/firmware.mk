# The firmware for QEMU's mps2-an385: one that takes records of 16 KB, and one of 4 KB at most.
PRODUCTS := firmware.elf firmware-4k.elf

$(shell .ci/system arm-none-eabi-gcc 'gcc-arm-none-eabi libnewlib-arm-none-eabi' >&2)
$(shell .ci/system qemu-system-arm qemu-system-arm >&2)
# gcc gives a whole path for a library that is there, else the name alone.
ifeq ($(findstring /,$(shell arm-none-eabi-gcc -print-file-name=libc.a 2>/dev/null)),)
$(error as root: apt-get install gcc-arm-none-eabi libnewlib-arm-none-eabi)
endif

$(addprefix $(OUT)/,$(PRODUCTS)): objects

.PHONY: objects
objects: $(OUT)/objects/begun | mpy-cross
	@echo "== firmware: $(PORT)"
	$(MAKE) --no-print-directory -j$(JOBS) -C $(HERE) BUILD=$(OUT)/objects MICROPYTHON=$(SRC) \
		MPY_LIB_DIR=$(NEST)/nolib ANCHORWATCH=$(TOP)

$(OUT)/%.elf:
	@cp $(OUT)/objects/$*.elf $@.new && mv $@.new $@
