// time.time() and time.gmtime(): seconds since 2000, as on many boards, so that the agent's
// conversion is tried.

#include "shared/timeutils/timeutils.h"
#include "board.h"

static mp_uint_t since_2000_s(void) {
    return board_utc_ms() / 1000 - TIMEUTILS_SECONDS_1970_TO_2000;
}

static mp_obj_t mp_time_localtime_get(void) {
    timeutils_struct_time_t t;
    timeutils_seconds_since_2000_to_struct_time(since_2000_s(), &t);
    const mp_int_t fields[] = {
        t.tm_year, t.tm_mon, t.tm_mday, t.tm_hour, t.tm_min, t.tm_sec, t.tm_wday, t.tm_yday,
    };
    mp_obj_t values[8];
    for (int i = 0; i < 8; i++) {
        values[i] = MP_OBJ_NEW_SMALL_INT(fields[i]);
    }
    return mp_obj_new_tuple(8, values);
}

static mp_obj_t mp_time_time_get(void) {
    return mp_obj_new_int_from_uint(since_2000_s());
}
