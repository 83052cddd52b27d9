/**
 * The only boundary between the core and a machine. Every function gets the port's own `context`. None of them waits, but for
 * `join` and those of port_images, whose waits the port bounds: waiting is what feeder_step returns, and whoever drives it does it.
 */
#ifndef PESEBRE_PORT_H
#define PESEBRE_PORT_H

#include "../core/motor.h"
#include "crypto.h"

/** Answers of `get` that are no length. */
enum { PORT_ABSENT = -1, PORT_FAILED = -2 };

struct port_senses {
    uint16_t battery_mv;
    int16_t temp_tenths;
    int16_t rssi_dbm;
    uint8_t hopper_pct;
};

/** What is worth a line in a log; the number means what stands behind it. No key, payload or address is ever logged. */
enum port_event {
    /** Verified answer; round trip, milliseconds. */
    LOG_ANSWERED,
    /** No verified answer in the window; failures in a row. */
    LOG_UNANSWERED,
    /** A datagram that is no verified answer; how many since the cold start. */
    LOG_IGNORED,
    /** A verified answer that is no 2.04; its code. */
    LOG_REFUSED,
    /** A verified answer that cannot be read; its length. */
    LOG_MALFORMED,
    /** Grams. */
    LOG_MOTOR_ON,
    /** enum outcome_state. */
    LOG_MOTOR_OFF,
    /** The store cannot be written; enum store_key. */
    LOG_STORE_FAILED,
    /** The record cannot be read: latched. */
    LOG_RECORD_UNREADABLE,
    /** Version of the configuration that was taken. */
    LOG_CONFIGURED,
    /** The network could not be joined; failures in a row. */
    LOG_UNREACHABLE,
    /** A firmware is fetched, from this byte on. */
    LOG_FETCHING,
    /** enum firmware_problem. */
    LOG_FETCH_FAILED,
    /** Version of a verified firmware that is booted now. */
    LOG_SWITCHING,
    /** Version of a new firmware that stays. */
    LOG_KEPT,
    /** Version of a new firmware that had no answer. */
    LOG_REVERTED,
    LOG_EVENTS,
};

/** What is kept in the store. */
enum store_key {
    /** Below it all sequence numbers may have been used: 4 bytes. */
    STORE_SEQUENCE,
    STORE_RECORD,
    STORE_CONFIG,
    STORE_GATEWAYS,
    STORE_UPDATE,
    STORE_KEYS,
};

enum image_choice {
    /** What is in the other slot boots now, on trial: unless IMAGE_KEEP comes, the next start after a reset is the old one's. */
    IMAGE_TRY,
    /** What runs stays. Said with the first verified answer of each start, trial or not. */
    IMAGE_KEEP,
    /** What ran before boots now, for good. */
    IMAGE_REVERT,
};

/** A machine that can take another firmware has two slots: one runs, the other one is written. */
struct port_images {
    /** Begins to fetch, from this byte on; what was being fetched is given up. `url` NULL: only that. */
    void (*fetch)(void *context, const char *url, uint32_t offset);
    /** What has come since. @return how many bytes; 0: none yet; -1: no more will come */
    int (*fetched)(void *context, uint8_t *out, size_t size);
    /** Writes into the other slot, at a multiple of FEEDER_BLOCK, in rising order. False: it cannot, or there is no room. */
    bool (*write)(void *context, uint32_t offset, const uint8_t *data, size_t length);
    /** SHA-256 of what is in the other slot now. */
    bool (*digest)(void *context, uint32_t size, uint8_t *digest);
    /** Does not return where it restarts the program. True: whoever drives the feeder starts it anew. False: it cannot be. */
    bool (*choose)(void *context, enum image_choice choice);
};

struct port {
    void *context;
    const struct crypto *crypto;

    /** Seconds since the cold start, deep sleep included; never steps. */
    uint32_t (*uptime_s)(void *context);
    /** Milliseconds of a clock that does not step while awake; wraps. */
    uint32_t (*uptime_ms)(void *context);
    uint32_t (*random)(void *context);

    /** Reads a value into `out`. @return its length, PORT_ABSENT, or PORT_FAILED, also when it is longer than `size` */
    int (*get)(void *context, enum store_key key, void *out, size_t size);
    /** Replaces a value, all of it or nothing. True: it is durable. */
    bool (*put)(void *context, enum store_key key, const void *value, size_t size);

    /** Memory that lasts over a deep sleep, and not over a power cut. False: there is nothing of that size. */
    bool (*recall)(void *context, void *out, size_t size);
    void (*retain)(void *context, const void *value, size_t size);

    /** Joins the network, in a bounded time. False: not reachable now. Called again while it is joined, it says true at once. */
    bool (*join)(void *context, bool may_scan);
    /** Sends one datagram; what becomes of it nobody knows. */
    void (*send)(void *context, const struct gateway *gateway, const uint8_t *datagram, size_t length);

    void (*motor)(void *context, enum motor_direction direction);
    void (*read_motor)(void *context, struct motor_reading *reading);
    void (*sense)(void *context, struct port_senses *senses);

    void (*log)(void *context, enum port_event event, uint32_t number);

    /** NULL: this machine takes no other firmware. */
    const struct port_images *images;
};

#endif
