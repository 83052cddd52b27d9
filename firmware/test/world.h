/**
 * A feeder's world, for tests: a store, a motor, a clock, and a gateway that keeps to the contract. What stays when the power goes is
 * in here; the feeder itself is not. The power can be made to go at any step.
 */
#ifndef PESEBRE_WORLD_H
#define PESEBRE_WORLD_H

#include <setjmp.h>

#include "../core/feeder.h"
#include "server.h"

enum { WORLD_EPOCH = 1800000000, WORLD_COMMANDS = 8, WORLD_RUNS = 64, WORLD_TOLD = 64, WORLD_GATEWAYS = 2 };

struct world_command {
    uint32_t n;
    uint16_t grams;
    /** In seconds since 1970. */
    uint32_t from;
    uint32_t not_after;
};

/** Faults that come by chance, each in a million; the same for the same seed. */
struct world_chances {
    uint32_t seed;
    /** Of each datagram, in either direction. */
    uint32_t loss;
    uint32_t doubles;
    /** An answer of before comes first. */
    uint32_t reorder;
    /** Of each step: the power goes. */
    uint32_t cut;
    /** Of each portion. */
    uint32_t jam;
    /** Of each hour and gateway. */
    uint32_t dead;
};

/** What a gateway has heard of one order. */
struct world_told {
    uint32_t id;
    bool is_meal;
    /** Bit = enum outcome_state. */
    uint16_t states;
    uint16_t grams;
};

struct world_run {
    uint32_t id;
    bool is_meal;
    uint32_t at;
    /** What came out of it. */
    uint32_t grams;
};

struct world {
    /** The true time, milliseconds since WORLD_EPOCH. */
    uint64_t ms;
    uint64_t booted_ms;

    /** The store, by key. */
    uint8_t values[STORE_KEYS][1600];
    int lengths[STORE_KEYS];
    bool is_store_full;
    uint8_t retained[512];
    size_t retained_length;

    /** Things of the feeder. */
    enum motor_direction direction;
    uint32_t motor_ms;
    uint32_t pulses;
    /** The motor sticks when it has given so many pulses; 0: never. */
    uint32_t jams_at;
    struct port_senses senses;
    bool has_network;
    unsigned joins;

    /** The gateways: which answer, and how. All share what they know, as the control shadow makes them. */
    bool is_dead[WORLD_GATEWAYS];
    bool is_forgetful;
    bool asks_echo;
    uint8_t answer_code;
    struct oscore_context contexts[WORLD_GATEWAYS];
    struct world_command commands[WORLD_COMMANDS];
    unsigned command_count;
    struct config config;
    /** The firmware that it should run, and what it said of its own last. */
    struct release release;
    bool has_release;
    struct firmware_word firmware;
    struct world_told told[WORLD_TOLD];
    unsigned told_count;
    uint32_t named;
    uint32_t sequence;
    bool is_sequence_reused;
    unsigned requests;
    unsigned answers;
    unsigned beacons;
    size_t largest;
    struct server_uplink uplink;
    /** The answer that is on its way. */
    uint8_t answer[1400];
    size_t answer_length;
    /** Half of the answers get lost; each comes twice. */
    bool is_lossy;
    bool is_doubling;

    struct world_chances chances;
    /** The answer before this one. */
    uint8_t old_answer[1400];
    size_t old_length;
    /** For the modelled charge: wakes with the radio on, and how long it was on. */
    unsigned wakes;
    uint64_t radio_ms;
    unsigned power_cuts;

    struct world_run runs[WORLD_RUNS];
    unsigned run_count;
    unsigned logs[LOG_EVENTS];

    /** The power goes at this step; 0: never. */
    unsigned cut_at;
    unsigned steps;
    jmp_buf cut;
    /** What broke a promise first. */
    const char *broken;

    struct port port;
    struct feeder_settings settings;
};

/** A world at WORLD_EPOCH with a feeder that was just provisioned. */
void world_init(struct world *world);
/** After a change of its kid: the gateways know it under that. */
void world_rekey(struct world *world);
void world_command(struct world *world, uint32_t n, uint16_t grams, uint32_t in_s, uint32_t ttl_s);
/** A schedule of one meal each day, UTC, from now on. */
void world_schedule(struct world *world, uint32_t minute, uint16_t grams);

/** Starts the feeder as after a cold start. False: the power went, or it would not start. */
bool world_boot(struct world *world, struct feeder *feeder);
/** Lets it live for so long. `is_deep`: each sleep loses its memory. False: the power went. */
bool world_live(struct world *world, struct feeder *feeder, uint32_t seconds, bool is_deep);
/** The same, and after each power cut it is switched on again; the power goes at the steps of `cuts`, counted from each start. */
void world_survive(struct world *world, struct feeder *feeder, uint32_t seconds, const unsigned *cuts, unsigned cut_count);

/** For what is written beside this file: the power may go now; a promise was broken. */
void world_step(struct world *world);
void world_breaks(struct world *world, const char *promise);

/** What has been told of an order; NULL: nothing. */
const struct world_told *world_told_of(const struct world *world, uint32_t id, bool is_meal);
unsigned world_runs_of(const struct world *world, uint32_t id, bool is_meal);
/** The first promise that was broken; NULL: none. */
const char *world_verdict(struct world *world);

#endif
