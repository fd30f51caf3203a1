// machine.WDT on the CMSDK watchdog: it warns at half of the time and resets at the end.

#include "board.h"

#define WDOG_LOAD REGISTER(0x40008000)
#define WDOG_CONTROL REGISTER(0x40008008)
#define WDOG_CLEAR REGISTER(0x4000800c)
#define WDOG_LOCK REGISTER(0x40008c00)
#define WDOG_KEY 0x1acce551
#define WDOG_WARN_AND_RESET 3
#define WDOG_TICKS_PER_MS 25000
#define WDOG_MOST_MS (2 * (0xffffffffu / WDOG_TICKS_PER_MS))

typedef struct _machine_wdt_obj_t {
    mp_obj_base_t base;
} machine_wdt_obj_t;

static machine_wdt_obj_t watchdog = { { &machine_wdt_type } };

static machine_wdt_obj_t *mp_machine_wdt_make_new_instance(mp_int_t id, mp_int_t timeout_ms) {
    if (id != 0 || timeout_ms < 2 || timeout_ms > (mp_int_t)WDOG_MOST_MS) {
        mp_raise_ValueError(MP_ERROR_TEXT("WDT(0, timeout=2..343596)"));
    }
    WDOG_LOCK = WDOG_KEY;
    WDOG_LOAD = timeout_ms * (WDOG_TICKS_PER_MS / 2);
    WDOG_CONTROL = WDOG_WARN_AND_RESET;
    return &watchdog;
}

static void mp_machine_wdt_feed(machine_wdt_obj_t *self) {
    WDOG_CLEAR = 1;
}
