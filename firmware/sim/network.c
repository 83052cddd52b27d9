#include "network.h"

#include <stdio.h>
#include <stdlib.h>

#include "device.h"
#include "provision.h"
#include "sleepers.h"
#include "summary.h"

enum { SETTLE_S = 4 * 3600, SETTLE_STEP_S = 600, HOUR_MS = 3600000, SPREAD_MS = 300000, READY_MAX = 256 };

struct simulation {
    struct fate fate;
    struct wire wire;
    struct device *devices;
    uint32_t count;
    struct sleepers sleepers;
    /** Who is awake, by socket. */
    struct device **awake;
    unsigned sockets;
    /** When it was last looked whose time is up: once a millisecond is enough. */
    uint64_t looked_ms;
};

static void step(struct simulation *simulation, struct device *device, uint8_t *datagram, size_t length)
{
    const unsigned socket = (unsigned)device->socket;
    if (device_advance(device, datagram, length)) return;
    simulation->awake[socket] = NULL;
    sleepers_push(&simulation->sleepers, device);
}

/** Wakes those whose time has come, while there are sockets. False: nobody is awake, or wakes before `end_ms`. */
static bool fill(struct simulation *simulation, uint64_t end_ms)
{
    bool is_busy = false;
    for (unsigned i = 0; i < simulation->sockets; i++) {
        while (simulation->awake[i] == NULL) {
            struct device *device = sleepers_pop(&simulation->sleepers, end_ms);
            if (device == NULL) break;
            simulation->awake[i] = device;
            device_wake(device, i);
            step(simulation, device, NULL, 0);
        }
        is_busy |= simulation->awake[i] != NULL;
    }
    return is_busy;
}

static void serve(struct simulation *simulation)
{
    unsigned ready[READY_MAX];
    uint8_t datagram[1500];
    const unsigned count = wire_wait(&simulation->wire, 1, ready, READY_MAX);
    for (unsigned i = 0; i < count; i++) {
        const size_t length = wire_receive(&simulation->wire, ready[i], datagram, sizeof datagram);
        struct device *device = simulation->awake[ready[i]];
        if (device != NULL && length <= FEEDER_DATAGRAM_MAX) step(simulation, device, datagram, length);
    }
    const uint64_t now = real_ms();
    if (now == simulation->looked_ms) return;
    simulation->looked_ms = now;
    for (unsigned i = 0; i < simulation->sockets; i++) {
        struct device *device = simulation->awake[i];
        if (device == NULL || device->due_real_ms > now) continue;
        step(simulation, device, NULL, 0);
    }
}

static void live_until(struct simulation *simulation, uint64_t end_ms)
{
    while (fill(simulation, end_ms)) serve(simulation);
}

static bool has_news(const struct simulation *simulation)
{
    for (uint32_t i = 0; i < simulation->count; i++)
        if (feed_has_news(&simulation->devices[i].feeder.record)) return true;
    return false;
}

static bool set_up(struct simulation *simulation, const struct sim_options *options)
{
    *simulation = (struct simulation){
        .fate = {.chances = options->chances, .seed = options->chances.seed | 1},
        .devices = calloc(options->devices, sizeof *simulation->devices),
        .count = options->devices,
        .sleepers = {.heap = calloc(options->devices, sizeof(struct device *))},
        .awake = calloc(options->slots, sizeof(struct device *)),
        .sockets = options->slots,
    };
    if (simulation->devices == NULL || simulation->sleepers.heap == NULL || simulation->awake == NULL) return false;
    if (!wire_open(&simulation->wire, options->slots, &simulation->fate)) return false;
    for (uint32_t i = 0; i < options->devices; i++) device_init(&simulation->devices[i], &simulation->fate, &simulation->wire);
    if (!provision(simulation->devices, options->devices, options->gateways, options->keys)) return false;
    for (uint32_t i = 0; i < options->devices; i++) {
        /* Spread over the first interval, as a stable is. */
        simulation->devices[i].wakes_ms += (uint64_t)i * SPREAD_MS / options->devices;
        sleepers_push(&simulation->sleepers, &simulation->devices[i]);
    }
    return true;
}

int sim_network(const struct sim_options *options)
{
    static struct simulation simulation;
    if (options->keys == NULL || !set_up(&simulation, options)) {
        fprintf(stderr, "Cannot read the gateways or the keys, or too few sockets: %s\n", options->keys == NULL ? "--keys" : options->keys);
        return 2;
    }
    const uint64_t end_ms = DEVICE_BEGINS_MS + (uint64_t)options->hours * HOUR_MS;
    live_until(&simulation, end_ms);
    /* Then nothing fails any more: in the end every outcome is confirmed. */
    simulation.fate.is_kind = true;
    for (uint32_t passed = 0; passed < SETTLE_S && has_news(&simulation); passed += SETTLE_STEP_S)
        live_until(&simulation, end_ms + (uint64_t)(passed + SETTLE_STEP_S) * 1000);
    return summarize(simulation.devices, options, &simulation.fate, &simulation.wire) > 0;
}
