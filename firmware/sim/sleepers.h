/** Feeders that sleep, by the time at which they wake: a heap. */
#ifndef PESEBRE_SIM_SLEEPERS_H
#define PESEBRE_SIM_SLEEPERS_H

#include "device.h"

struct sleepers {
    /** The caller's, with room for all. */
    struct device **heap;
    unsigned count;
};

void sleepers_push(struct sleepers *sleepers, struct device *device);
/** The next one, if it wakes before `end_ms`; else NULL. */
struct device *sleepers_pop(struct sleepers *sleepers, uint64_t end_ms);

#endif
