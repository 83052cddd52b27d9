#include "summary.h"

#include <stdio.h>

#include "charge.h"

static void print_feeder(const struct device *device)
{
    printf("{\"kid\":\"");
    for (unsigned i = 0; i < FEEDER_KID; i++) printf("%02x", device->settings.kid[i]);
    printf("\",\"sequence\":%u,\"answered\":%u,\"runs\":[", device->answered_sequence, device->answered);
    for (unsigned i = 0; i < device->run_count; i++)
        printf("%s{\"%s\":%u,\"grams\":%u}", i > 0 ? "," : "", device->runs[i].is_meal ? "occurrence" : "n", device->runs[i].id,
               device->runs[i].grams);
    printf("]");
    if (device->broken != NULL) printf(",\"broken\":\"%s\"", device->broken);
    printf("}\n");
}

unsigned summarize(struct device *devices, const struct sim_options *options, const struct fate *fate, const struct wire *wire)
{
    unsigned broken = 0;
    unsigned runs = 0;
    unsigned answered = 0;
    double charge = 0;
    for (uint32_t i = 0; i < options->devices; i++) {
        struct device *device = &devices[i];
        device->broken = device_verdict(device);
        print_feeder(device);
        broken += device->broken != NULL;
        runs += device->run_count;
        answered += device->answered;
        charge += charge_mc(device->wakes, device->radio_ms, options->hours * 3600);
    }
    printf("{\"feeders\":%u,\"hours\":%u,\"sent\":%u,\"heard\":%u,\"lost\":%u,\"answered\":%u,\"runs\":%u,\"powerCuts\":%u,"
           "\"mahPerDay\":%.2f,\"broken\":%u}\n",
           options->devices, options->hours, wire->sent, wire->heard, wire->lost, answered, runs, fate->power_cuts,
           charge / options->devices / 3600 * 24 / options->hours, broken);
    return broken;
}
