#include "provision.h"

#include <stdio.h>
#include <string.h>

static bool read_gateways(const char *list, struct gateways *gateways)
{
    char text[512];
    memset(gateways, 0, sizeof *gateways);
    snprintf(text, sizeof text, "%s", list);
    for (char *one = strtok(text, ","); one != NULL; one = strtok(NULL, ",")) {
        struct gateway *gateway = &gateways->list[gateways->count];
        unsigned port;
        if (gateways->count == GATEWAYS_MAX || sscanf(one, "%16[^=]=%63[^:]:%u", gateway->id, gateway->host, &port) != 3) return false;
        gateway->port = (uint16_t)port;
        gateways->count++;
    }
    return gateways->count > 0;
}

static bool read_hex(const char *hex, uint8_t *out, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        unsigned byte;
        if (sscanf(hex + 2 * i, "%2x", &byte) != 1) return false;
        out[i] = (uint8_t)byte;
    }
    return true;
}

bool provision(struct device *devices, uint32_t count, const char *gateways, const char *keys)
{
    struct gateways list;
    char kid[32];
    char secret[64];
    if (!read_gateways(gateways, &list)) return false;
    FILE *file = fopen(keys, "r");
    if (file == NULL) return false;
    uint32_t read = 0;
    for (; read < count; read++) {
        struct feeder_settings *settings = &devices[read].settings;
        settings->gateways = list;
        if (fscanf(file, "%31s %63s", kid, secret) != 2) break;
        if (!read_hex(kid, settings->kid, FEEDER_KID) || !read_hex(secret, settings->secret, FEEDER_SECRET)) break;
    }
    fclose(file);
    return read == count;
}
