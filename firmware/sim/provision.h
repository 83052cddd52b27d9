/** Who the feeders are, and where their gateways: what the command line and the file of keys say. */
#ifndef PESEBRE_SIM_PROVISION_H
#define PESEBRE_SIM_PROVISION_H

#include "device.h"

/**
 * Gives `count` devices their identities and gateways. False: one of both cannot be read.
 * @param gateways `<id>=<ipv4>:<port>,...`
 * @param keys path of a file with a line for each device: kid and secret in hex
 */
bool provision(struct device *devices, uint32_t count, const char *gateways, const char *keys);

#endif
