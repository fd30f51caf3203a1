# Read by MicroPython's make for each folder in USER_C_MODULES.
SRC_USERMOD_C += $(USERMOD_DIR)/anchorwatch_mbedtls.c
CFLAGS_USERMOD += -I$(USERMOD_DIR)
# SSLContext keeps its configuration to itself, so we step in where it is given its defaults.
LDFLAGS_USERMOD += -Wl,--wrap=mbedtls_ssl_config_defaults
LDFLAGS_USERMOD += -Wl,--wrap=mbedtls_ssl_conf_verify
# A lack of memory is told by nothing else, so we stand beside the allocator.
LDFLAGS_USERMOD += -Wl,--wrap=m_tracked_calloc
