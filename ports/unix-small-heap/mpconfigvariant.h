// What MicroPython's own "standard" variant is.
#define MICROPY_CONFIG_ROM_LEVEL (MICROPY_CONFIG_ROM_LEVEL_EXTRA_FEATURES)
#include "variants/mpconfigvariant_common.h"

// Gives Mbed TLS pieces of the heap that a collection leaves alone.
#define MICROPY_TRACKED_ALLOC (1)
