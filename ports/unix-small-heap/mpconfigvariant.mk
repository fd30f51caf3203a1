# Read by the makefile of MicroPython's unix port, with ANCHORWATCH as this project's folder and
# TLS_IN as the longest record that fits into the buffer.
FROZEN_MANIFEST = $(ANCHORWATCH)/ports/unix-small-heap/manifest.py
USER_C_MODULES = $(ANCHORWATCH)/micropython/cmodule
ANCHORWATCH_RESIDENT = 1
MBEDTLS_CONFIG_FILE = \"mbedtls_small_heap.h\"
CFLAGS_EXTRA = -DANCHORWATCH_TLS_IN=$(TLS_IN)

# A board has one thread, no database and no foreign functions.
MICROPY_PY_BTREE = 0
MICROPY_PY_FFI = 0
MICROPY_PY_THREAD = 0
