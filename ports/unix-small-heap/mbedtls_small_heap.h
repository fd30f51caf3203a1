// Mbed TLS as on a board: memory from MicroPython's own heap.
#define MICROPY_MBEDTLS_CONFIG_BARE_METAL (1)
#include "mbedtls/mbedtls_config_port.h"
#include "mbedtls_anchorwatch.h"

// Randomness stays the computer's.
#undef MBEDTLS_ENTROPY_HARDWARE_ALT
#undef MBEDTLS_NO_PLATFORM_ENTROPY
