// What the guest asks of QEMU by ARM semihosting (`bkpt 0xAB`): files of the host, the clock, the end.
//
// Source: Arm, "Semihosting for AArch32 and AArch64".
#ifndef ANCHORWATCH_SEMIHOSTING_H
#define ANCHORWATCH_SEMIHOSTING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { HOST_READ = 1 /* "rb" */, HOST_CHANGE = 3 /* "r+b" */ };

int host_open(const char *path, int mode);              // a handle, or -1
bool host_read(int handle, void *to, size_t size);      // true: all of it was read
bool host_write(int handle, const void *from, size_t size);
bool host_seek(int handle, uint32_t position);
int32_t host_length(int handle);                        // bytes, or -1

uint32_t host_utc_s(void);                              // the host's clock
uint64_t host_elapsed_ns(void);                         // since QEMU was started, never going back
void host_random(void *to, size_t size);                // for tests: the host's, not a board's own
uint32_t host_word(const char *name, uint32_t otherwise);       // NAME=NUMBER of the command line
bool host_text(const char *name, char *to, size_t size);        // NAME=TEXT of the command line
void host_exit(int code) __attribute__((noreturn));

#endif
