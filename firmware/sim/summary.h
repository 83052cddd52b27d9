/** What a simulated stable did, as lines of JSON: one for each feeder, the last one for all. */
#ifndef PESEBRE_SIM_SUMMARY_H
#define PESEBRE_SIM_SUMMARY_H

#include "device.h"
#include "network.h"

/** Prints it. @return how many feeders broke a promise */
unsigned summarize(struct device *devices, const struct sim_options *options, const struct fate *fate, const struct wire *wire);

#endif
