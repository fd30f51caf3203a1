// Mbed TLS of the reference program: memory from the C library.
#include "mbedtls/mbedtls_config_port.h"
#include "mbedtls_anchorwatch.h"
