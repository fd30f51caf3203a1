// Starts MicroPython with the heap the command line names, runs the frozen boot.py and then main.py
// from the disk, and ends QEMU with main.py's exit status.

#include "py/compile.h"
#include "py/gc.h"
#include "py/lexer.h"
#include "py/mphal.h"
#include "py/mperrno.h"
#include "py/runtime.h"
#include "py/cstack.h"
#include "shared/runtime/gchelper.h"
#include "board.h"
#include "semihosting.h"

#define HEAP_KIB 384            // room for a second TLS session beside the live one

extern uint8_t _stack_bottom, _stack_top, _heap_start, _heap_end;

void board_init(void);
int main(void);

// The exit status of a SystemExit; any other exception is printed, and is 1.
static int status_of(mp_obj_t exception) {
    if (!mp_obj_is_subclass_fast(MP_OBJ_FROM_PTR(mp_obj_get_type(exception)),
        MP_OBJ_FROM_PTR(&mp_type_SystemExit))) {
        mp_obj_print_exception(&mp_plat_print, exception);
        return 1;
    }
    mp_obj_t value = mp_obj_exception_get_value(exception);
    mp_int_t status = 0;
    return value == mp_const_none || (mp_obj_get_int_maybe(value, &status)) ? status : 1;
}

static int run(void) {
    nlr_buf_t nlr;
    if (nlr_push(&nlr) != 0) {
        return status_of(MP_OBJ_FROM_PTR(nlr.ret_val));
    }
    mp_import_name(MP_QSTR_boot, mp_const_none, MP_OBJ_NEW_SMALL_INT(0));
    mp_lexer_t *source = mp_lexer_new_from_file(MP_QSTR_main_dot_py);
    mp_parse_tree_t tree = mp_parse(source, MP_PARSE_FILE_INPUT);
    mp_call_function_0(mp_compile(&tree, MP_QSTR_main_dot_py, false));
    nlr_pop();
    return 0;
}

int main(void) {
    board_init();
    mp_cstack_init_with_top(&_stack_top, &_stack_top - &_stack_bottom);
    uint32_t heap = host_word("heap", HEAP_KIB * 1024);
    if (heap > &_heap_end - &_heap_start) {
        heap = &_heap_end - &_heap_start;
    }
    gc_init(&_heap_start, &_heap_start + heap);
    mp_init();
    ethernet_init();
    return run();
}

void gc_collect(void) {
    gc_collect_start();
    gc_helper_collect_regs_and_stack();
    gc_collect_end();
}

void nlr_jump_fail(void *value) {
    mp_printf(&mp_plat_print, "\nan exception that nobody takes\n");
    host_exit(6);
}
