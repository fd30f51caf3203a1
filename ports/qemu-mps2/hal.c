// Console (UART 0 of the CMSDK), clock and waiting.

#include "py/mphal.h"
#include "py/runtime.h"
#include "py/stream.h"
#include "lib/oofatfs/ff.h"
#include "shared/timeutils/timeutils.h"
#include "board.h"
#include "semihosting.h"

#define UART_DATA REGISTER(0x40004000)
#define UART_STATE REGISTER(0x40004004)
#define UART_CTRL REGISTER(0x40004008)
#define UART_BAUDDIV REGISTER(0x40004010)
enum { UART_TX_FULL = 1, UART_RX_FULL = 2, UART_BOTH_WAYS = 3 };

#define SYST_CTRL REGISTER(0xe000e010)
#define SYST_LOAD REGISTER(0xe000e014)
#define SYST_VALUE REGISTER(0xe000e018)
#define ICSR REGISTER(0xe000ed04)
#define AIRCR REGISTER(0xe000ed0c)
#define NVIC_CLEAR REGISTER(0xe000e280)
#define CLEAR_TICK (1u << 25)
#define RESET_REQUEST 0x05fa0004
#define TICKS_PER_MS 25000

// The console is looked at this often while nothing comes over the network.
#define LONGEST_SLEEP_MS 20

#define FIRST_UTC_S 946684800       // 2000, where time.time() begins

#define KEPT_RUNNING 0x616e6368
#define KEPT_ASKED 0x72657374
static volatile uint32_t kept __attribute__((section(".kept")));
int board_reset_cause;

static int64_t utc_minus_elapsed_ms;

void board_init(void);

// RAM is zero when QEMU starts and keeps its content over a reset; a watchdog cannot say a word.
void board_init(void) {
    board_reset_cause = kept == KEPT_ASKED ? RESET_ASKED
        : kept == KEPT_RUNNING ? RESET_WATCHDOG : RESET_POWER;
    kept = KEPT_RUNNING;
    UART_BAUDDIV = 16;
    UART_CTRL = UART_BOTH_WAYS;
    uint32_t utc_s = host_word("utc", host_utc_s());
    board_set_utc_ms(1000ull * (utc_s < FIRST_UTC_S ? FIRST_UTC_S : utc_s));
}

void board_reset(void) {
    kept = KEPT_ASKED;
    for (;;) {
        AIRCR = RESET_REQUEST;
    }
}

uint64_t board_elapsed_ms(void) {
    return host_elapsed_ns() / 1000000;
}

uint64_t board_utc_ms(void) {
    return board_elapsed_ms() + utc_minus_elapsed_ms;
}

void board_set_utc_ms(uint64_t utc_ms) {
    utc_minus_elapsed_ms = utc_ms - board_elapsed_ms();
}

// Interrupts are masked for ever, but a pending one still ends the sleep: no handler, no race.
void board_wait(uint32_t at_most_ms) {
    uint32_t ms = at_most_ms < LONGEST_SLEEP_MS ? at_most_ms : LONGEST_SLEEP_MS;
    if (ms == 0 || ethernet_has_frames() || UART_STATE & UART_RX_FULL) {
        return;
    }
    SYST_LOAD = ms * TICKS_PER_MS - 1;
    SYST_VALUE = 0;
    SYST_CTRL = 7;
    __asm__ volatile ("wfi");
    SYST_CTRL = 0;
    ICSR = CLEAR_TICK;
    NVIC_CLEAR = 0xffffffff;
}

mp_uint_t mp_hal_ticks_ms(void) {
    return board_elapsed_ms();
}

mp_uint_t mp_hal_ticks_us(void) {
    return host_elapsed_ns() / 1000;
}

mp_uint_t mp_hal_ticks_cpu(void) {
    return host_elapsed_ns();
}

// The date of a file on FAT: seven bits of years from 1980, seconds in pairs.
DWORD get_fattime(void) {
    timeutils_struct_time_t t;
    timeutils_seconds_since_2000_to_struct_time(board_utc_ms() / 1000 - FIRST_UTC_S, &t);
    return (t.tm_year - 1980u) << 25 | t.tm_mon << 21 | t.tm_mday << 16
           | t.tm_hour << 11 | t.tm_min << 5 | t.tm_sec / 2;
}

unsigned long board_seed(void) {
    unsigned long seed;
    host_random(&seed, sizeof seed);
    return seed;
}

uint64_t mp_hal_time_ns(void) {
    return board_utc_ms() * 1000000;
}

void mp_hal_delay_ms(mp_uint_t ms) {
    uint64_t end = board_elapsed_ms() + ms;
    for (uint64_t now; (now = board_elapsed_ms()) < end;) {
        mp_event_wait_ms(end - now);
    }
}

void mp_hal_delay_us(mp_uint_t us) {
    for (uint64_t end = host_elapsed_ns() + 1000ull * us; host_elapsed_ns() < end;) {
    }
}

mp_uint_t mp_hal_stdout_tx_strn(const char *text, size_t length) {
    for (size_t i = 0; i < length; i++) {
        while (UART_STATE & UART_TX_FULL) {
        }
        UART_DATA = text[i];
    }
    return length;
}

// Lines end as on the host: what is printed is compared byte for byte.
void mp_hal_stdout_tx_strn_cooked(const char *text, size_t length) {
    mp_hal_stdout_tx_strn(text, length);
}

int mp_hal_stdin_rx_chr(void) {
    while (!(UART_STATE & UART_RX_FULL)) {
        mp_event_wait_indefinite();
    }
    return UART_DATA & 0xff;
}

uintptr_t mp_hal_stdio_poll(uintptr_t flags) {
    uintptr_t ready = flags & MP_STREAM_POLL_WR;
    return UART_STATE & UART_RX_FULL ? ready | (flags & MP_STREAM_POLL_RD) : ready;
}
