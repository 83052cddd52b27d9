#ifndef PESEBRE_SIM_NETWORK_H
#define PESEBRE_SIM_NETWORK_H

#include "../test/world.h"

/** All numbers are 32 bits: see the table in feeder-sim.c. */
struct sim_options {
    uint32_t devices;
    uint32_t hours;
    uint32_t meals;
    uint32_t commands;
    uint32_t slots;
    struct world_chances chances;
    const char *gateways;
    const char *keys;
};

/**
 * Feeders against real gateways over UDP. Only an answer that is on its way takes real time; sleep, the motor and the wait for what was
 * lost pass at once. Prints a line of JSON for each feeder, and one for all. @return 0 when every promise held
 */
int sim_network(const struct sim_options *options);

#endif
