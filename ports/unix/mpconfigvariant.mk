# Read by the makefile of MicroPython's unix port, with ANCHORWATCH as this project's folder.
FROZEN_MANIFEST = $(ANCHORWATCH)/ports/unix/manifest.py
USER_C_MODULES = $(ANCHORWATCH)/micropython/cmodule
MBEDTLS_CONFIG_FILE = \"mbedtls_unix.h\"

# A board has one thread, no database and no foreign functions.
MICROPY_PY_BTREE = 0
MICROPY_PY_FFI = 0
MICROPY_PY_THREAD = 0
