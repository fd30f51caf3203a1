// What lwIP asks about the compiler and the board beyond its own defaults.
#ifndef ANCHORWATCH_LWIP_CC_H
#define ANCHORWATCH_LWIP_CC_H

#include "semihosting.h"

#define LWIP_NO_UNISTD_H 1
#define LWIP_TIMEVAL_PRIVATE 1
typedef uint32_t sys_prot_t;
#define LWIP_PLATFORM_DIAG(words) ((void)0)
#define LWIP_PLATFORM_ASSERT(text) host_exit(5)

static inline uint32_t lwip_random(void) {
    uint32_t value;
    host_random(&value, sizeof value);
    return value;
}
#define LWIP_RAND() lwip_random()

#endif
