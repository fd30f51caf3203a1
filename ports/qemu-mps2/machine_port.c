// The parts of `machine` that the agent uses: reset and its cause, the clock, the watchdog.

#include "py/runtime.h"
#include "shared/timeutils/timeutils.h"
#include "board.h"

static void mp_machine_idle(void) {
    mp_event_wait_ms(1);
}

static void mp_machine_reset(void) {
    board_reset();
}

static mp_int_t mp_machine_reset_cause(void) {
    return board_reset_cause;
}

typedef struct {
    mp_obj_base_t base;
} rtc_t;

extern const mp_obj_type_t rtc_type;
static const rtc_t rtc = { { &rtc_type } };

static mp_obj_t rtc_make_new(const mp_obj_type_t *type, size_t n, size_t named, const mp_obj_t *args) {
    mp_arg_check_num(n, named, 0, 0, false);
    return MP_OBJ_FROM_PTR(&rtc);
}

static mp_obj_t rtc_get(void) {
    uint64_t utc_ms = board_utc_ms();
    timeutils_struct_time_t t;
    timeutils_seconds_since_2000_to_struct_time(utc_ms / 1000 - TIMEUTILS_SECONDS_1970_TO_2000, &t);
    const mp_int_t fields[] = {
        t.tm_year, t.tm_mon, t.tm_mday, t.tm_wday, t.tm_hour, t.tm_min, t.tm_sec,
        utc_ms % 1000 * 1000,
    };
    mp_obj_t values[8];
    for (int i = 0; i < 8; i++) {
        values[i] = MP_OBJ_NEW_SMALL_INT(fields[i]);
    }
    return mp_obj_new_tuple(8, values);
}

// datetime((year, month, day, weekday, hour, minute, second, microsecond)): sets; without: tells
static mp_obj_t rtc_datetime(size_t n, const mp_obj_t *args) {
    if (n == 1) {
        return rtc_get();
    }
    mp_obj_t *value;
    mp_obj_get_array_fixed_n(args[1], 8, &value);
    uint64_t since_2000_s = timeutils_seconds_since_2000(
        mp_obj_get_int(value[0]), mp_obj_get_int(value[1]), mp_obj_get_int(value[2]),
        mp_obj_get_int(value[4]), mp_obj_get_int(value[5]), mp_obj_get_int(value[6]));
    uint64_t utc_s = TIMEUTILS_SECONDS_1970_TO_2000 + since_2000_s;
    board_set_utc_ms(1000 * utc_s + mp_obj_get_int(value[7]) / 1000);
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_VAR_BETWEEN(rtc_datetime_obj, 1, 2, rtc_datetime);

static const mp_rom_map_elem_t rtc_locals_table[] = {
    { MP_ROM_QSTR(MP_QSTR_datetime), MP_ROM_PTR(&rtc_datetime_obj) },
};
static MP_DEFINE_CONST_DICT(rtc_locals, rtc_locals_table);

MP_DEFINE_CONST_OBJ_TYPE(
    rtc_type, MP_QSTR_RTC, MP_TYPE_FLAG_NONE, make_new, rtc_make_new, locals_dict, &rtc_locals);
