/** One simulated feeder: its store, clock, motor and senses, what it did, and the first promise that it broke. */
#ifndef PESEBRE_SIM_DEVICE_H
#define PESEBRE_SIM_DEVICE_H

#include "wire.h"

enum { DEVICE_RUNS = 64, DEVICE_ASLEEP = -1 };
/** The virtual clock begins so late that no unsigned difference goes below zero. */
enum { DEVICE_BEGINS_MS = 1000 };

struct device_run {
    uint32_t id;
    bool is_meal;
    uint32_t at_s;
    uint32_t grams;
};

struct device {
    struct feeder feeder;
    struct feeder_settings settings;
    struct port port;
    struct fate *fate;
    struct wire *wire;
    uint8_t values[STORE_KEYS][1600];
    int lengths[STORE_KEYS];
    uint8_t retained[sizeof(struct feeder_sleep)];
    size_t retained_length;
    /** Its own time, milliseconds: stands still while it sleeps, jumps where nothing real is waited for, else runs with the real one. */
    uint64_t ms;
    uint64_t real_from_ms;
    uint64_t booted_ms;
    uint64_t woken_ms;
    /** When it wakes, by its own time; when its next step is while awake, by the real one. */
    uint64_t wakes_ms;
    uint64_t due_real_ms;
    /** Which socket it has, or DEVICE_ASLEEP. */
    int socket;
    enum motor_direction direction;
    bool is_jammed;
    bool is_started;
    struct device_run runs[DEVICE_RUNS];
    unsigned run_count;
    unsigned wakes;
    uint64_t radio_ms;
    /** The last of its numbers that was answered and had something new to say. */
    uint32_t answered_sequence;
    unsigned answered;
    const char *broken;
};

/** A feeder that was just provisioned, but for `settings`' kid, secret and gateways, which are the caller's. It is asleep. */
void device_init(struct device *device, struct fate *fate, struct wire *wire);

/** Wakes it with a socket of its own, at the time that it wanted. */
void device_wake(struct device *device, unsigned socket);

/**
 * One step with what came from the network, `length` 0 for nothing, and all those after it that need not wait for an answer. A power
 * cut in it is a cold start later.
 * @return whether it is still awake, and then `due_real_ms` says until when; else `wakes_ms`
 */
bool device_advance(struct device *device, uint8_t *datagram, size_t length);

/** The first promise that it broke in its life; NULL: none. */
const char *device_verdict(struct device *device);

#endif
