// The emulated board as the other files see it: console, clock, waiting, Ethernet, why it was reset.
#ifndef ANCHORWATCH_BOARD_H
#define ANCHORWATCH_BOARD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define REGISTER(address) (*(volatile uint32_t *)(address))

enum { RESET_POWER = 1, RESET_ASKED = 2, RESET_WATCHDOG = 3 };      // machine.reset_cause()
extern int board_reset_cause;

uint64_t board_elapsed_ms(void);
uint64_t board_utc_ms(void);
void board_set_utc_ms(uint64_t utc_ms);
void board_wait(uint32_t at_most_ms);       // sleeps until a frame came or the time is over
void board_reset(void) __attribute__((noreturn));
size_t board_stack_used(void);              // the deepest the stack has ever been, in bytes

void ethernet_init(void);
void ethernet_poll(void);                   // takes what came, lets lwIP's timers run
bool ethernet_has_frames(void);

#endif
