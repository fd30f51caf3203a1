// Mbed TLS as on MicroPython's boards: its memory is the collected heap, its clock the board's.
#ifndef ANCHORWATCH_MBEDTLS_CONFIG_BOARD_H
#define ANCHORWATCH_MBEDTLS_CONFIG_BOARD_H

#include <time.h>
time_t board_utc_s(time_t *to);
#define MBEDTLS_PLATFORM_TIME_MACRO board_utc_s
#define MBEDTLS_PLATFORM_MS_TIME_ALT mbedtls_ms_time
#define MICROPY_MBEDTLS_CONFIG_BARE_METAL (1)

#include "extmod/mbedtls/mbedtls_config_common.h"

// Nothing here speaks DTLS, and each session would have room for it.
#undef MBEDTLS_SSL_PROTO_DTLS

#include "mbedtls_anchorwatch.h"

#endif
