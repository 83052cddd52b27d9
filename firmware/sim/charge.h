/** What a feeder's life would have cost its battery: typical values of firmware/energy.py at 3.3 V, which says what they are worth. */
#ifndef PESEBRE_SIM_CHARGE_H
#define PESEBRE_SIM_CHARGE_H

#include <stdint.h>

/** Millicoulombs of `wakes` (boot and join), of the radio while it was on, and of a board in deep sleep. */
static inline double charge_mc(unsigned wakes, uint64_t radio_ms, uint32_t life_s)
{
    return wakes * 21.98 + (double)radio_ms * 0.09 + 0.02 * life_s;
}

#endif
