// The port's part of py/mphal.h: what runs while Python code waits.
#ifndef ANCHORWATCH_MPHALPORT_H
#define ANCHORWATCH_MPHALPORT_H

void ethernet_poll(void);
void board_wait(uint32_t at_most_ms);

#define MICROPY_INTERNAL_EVENT_HOOK ethernet_poll()
#define MICROPY_INTERNAL_WFE(ms) board_wait(ms)

#define mp_hal_set_interrupt_char(c) ((void)(c))

#endif
