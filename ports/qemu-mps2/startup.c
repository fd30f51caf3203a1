// From reset to main(), and what a fault leads to. No interrupt is ever taken (see board_wait).

#include <string.h>

#include "py/mphal.h"
#include "board.h"
#include "semihosting.h"

extern uint32_t _stack_bottom, _stack_top;
extern uint8_t _data_in_flash, _data_start, _data_end, _bss_start, _bss_end;

#define UNTOUCHED 0xa5a5a5a5
#define CFSR REGISTER(0xe000ed28)
#define BFAR REGISTER(0xe000ed38)

void Reset_Handler(void) __attribute__((naked, noreturn));
void begin(void) __attribute__((noreturn, used));
int main(void);

// The stack is painted first, so that its deepest use can be told.
void Reset_Handler(void) {
    __asm__ volatile (
        "cpsid i\n"
        "ldr r0, =_stack_bottom\n"
        "ldr r1, =_stack_top\n"
        "ldr r2, =%0\n"
        "1: str r2, [r0], #4\n"
        "cmp r0, r1\n"
        "blo 1b\n"
        "mov sp, r1\n"
        "b begin\n"
        :: "i" (UNTOUCHED));
}

void begin(void) {
    memcpy(&_data_start, &_data_in_flash, &_data_end - &_data_start);
    memset(&_bss_start, 0, &_bss_end - &_bss_start);
    host_exit(main());
}

size_t board_stack_used(void) {
    const uint32_t *deepest = &_stack_bottom;
    while (*deepest == UNTOUCHED) {
        deepest++;
    }
    return (&_stack_top - deepest) * sizeof(uint32_t);
}

// A fault is told in one line, and ends the run: nobody is there to look at a board that hangs.
static void __attribute__((used, noreturn)) fault(const uint32_t *frame) {
    mp_printf(&mp_plat_print, "\nHardFault: pc %08x lr %08x sp %p cfsr %08x address %08x\n",
        (unsigned)frame[6], (unsigned)frame[5], frame, (unsigned)CFSR, (unsigned)BFAR);
    host_exit(3);
}

static void __attribute__((naked)) on_fault(void) {
    __asm__ volatile ("mov r0, sp\n" "b fault\n");
}

// The watchdog's warning (it resets when it is not fed after it): nothing to do.
static void on_warning(void) {
}

static const void *const vectors[] __attribute__((section(".vectors"), used)) = {
    &_stack_top, Reset_Handler, on_warning, on_fault, on_fault, on_fault, on_fault,
};
