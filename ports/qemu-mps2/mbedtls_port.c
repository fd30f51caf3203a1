// What mbedTLS asks of the board: the time and randomness (the host's, for tests alone).

#include "mbedtls/build_info.h"
#include "mbedtls/entropy.h"
#include "mbedtls/platform_time.h"
#include "board.h"
#include "semihosting.h"

int mbedtls_hardware_poll(void *data, unsigned char *to, size_t size, size_t *got);

int mbedtls_hardware_poll(void *data, unsigned char *to, size_t size, size_t *got) {
    host_random(to, size);
    *got = size;
    return 0;
}

time_t board_utc_s(time_t *to) {
    time_t utc_s = board_utc_ms() / 1000;
    if (to != NULL) {
        *to = utc_s;
    }
    return utc_s;
}

mbedtls_ms_time_t mbedtls_ms_time(void) {
    return board_elapsed_ms();
}
