/** What befalls simulated feeders: by chance, and the power. */
#ifndef PESEBRE_SIM_FATE_H
#define PESEBRE_SIM_FATE_H

#include "../test/world.h"

struct fate {
    struct world_chances chances;
    uint32_t seed;
    /** Nothing fails any more. */
    bool is_kind;
    unsigned power_cuts;
    /** Where the power goes to: set by who steps a feeder. */
    jmp_buf cut;
};

/** Whether something that has so many chances in a million happens now. */
bool fate_strikes(struct fate *fate, uint32_t chances);

/** Before each thing that a feeder does and after it: the power may go, and then this does not return. */
void fate_step(struct fate *fate);

#endif
