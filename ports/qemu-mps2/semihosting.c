// Calls to the host. Each is one breakpoint instruction that QEMU answers before the next one runs.

#include <stdlib.h>
#include <string.h>

#include "semihosting.h"

enum {
    SYS_OPEN = 0x01, SYS_WRITE = 0x05, SYS_READ = 0x06, SYS_SEEK = 0x0a, SYS_FLEN = 0x0c,
    SYS_TIME = 0x11, SYS_GET_CMDLINE = 0x15, SYS_EXIT_EXTENDED = 0x20, SYS_ELAPSED = 0x30,
};
#define APPLICATION_EXIT 0x20026

static int call(int number, const void *block) {
    register int r0 __asm__("r0") = number;
    register const void *r1 __asm__("r1") = block;
    __asm__ volatile ("bkpt 0xab" : "+r" (r0) : "r" (r1) : "memory");
    return r0;
}

int host_open(const char *path, int mode) {
    const uint32_t block[3] = { (uint32_t)path, mode, strlen(path) };
    return call(SYS_OPEN, block);
}

// READ and WRITE answer how many bytes they did not move.
bool host_read(int handle, void *to, size_t size) {
    const uint32_t block[3] = { handle, (uint32_t)to, size };
    return call(SYS_READ, block) == 0;
}

bool host_write(int handle, const void *from, size_t size) {
    const uint32_t block[3] = { handle, (uint32_t)from, size };
    return call(SYS_WRITE, block) == 0;
}

bool host_seek(int handle, uint32_t position) {
    const uint32_t block[2] = { handle, position };
    return call(SYS_SEEK, block) == 0;
}

int32_t host_length(int handle) {
    const uint32_t block[1] = { handle };
    return call(SYS_FLEN, block);
}

uint32_t host_utc_s(void) {
    return call(SYS_TIME, NULL);
}

uint64_t host_elapsed_ns(void) {
    uint64_t ns = 0;
    call(SYS_ELAPSED, &ns);
    return ns;
}

void host_random(void *to, size_t size) {
    static int source = -1;
    if (source < 0) {
        source = host_open("/dev/urandom", HOST_READ);
    }
    if (source < 0 || !host_read(source, to, size)) {
        host_exit(4);           // never go on with bytes that somebody can guess
    }
}

// The words of the command line are NAME=VALUE, no blanks inside.
bool host_text(const char *name, char *to, size_t size) {
    static char line[512];
    const uint32_t block[2] = { (uint32_t)line, sizeof line };
    size_t length = strlen(name);
    if (call(SYS_GET_CMDLINE, block) != 0) {
        return false;
    }
    for (char *word = line; word != NULL; word = strchr(word, ' ')) {
        word += *word == ' ';
        if (strncmp(word, name, length) == 0 && word[length] == '=') {
            size_t end = strcspn(word + length + 1, " ");
            if (end >= size) {
                return false;
            }
            memcpy(to, word + length + 1, end);
            to[end] = 0;
            return true;
        }
    }
    return false;
}

uint32_t host_word(const char *name, uint32_t otherwise) {
    char digits[16];
    return host_text(name, digits, sizeof digits) ? strtoul(digits, NULL, 10) : otherwise;
}

void host_exit(int code) {
    const uint32_t block[2] = { APPLICATION_EXIT, code };
    for (;;) {
        call(SYS_EXIT_EXTENDED, block);
    }
}
