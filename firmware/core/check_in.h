/**
 * What a feeder and a gateway say to each other (contract/src/check-in.ts, whose numbers these are): the body of `POST /u` and of
 * its answer. contract/vectors holds both sides to it.
 */
#ifndef PESEBRE_CHECK_IN_H
#define PESEBRE_CHECK_IN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "schedule.h"

enum { OUTCOMES_TOLD_MAX = 8, COMMANDS_HEARD_MAX = 2, GATEWAYS_MAX = 4, GATEWAY_ID_MAX = 16, GATEWAY_HOST_MAX = 63 };
enum { RELEASE_DIGEST = 32, RELEASE_URL_MAX = 128 };

enum outcome_state {
    OUTCOME_ACCEPTED = 1,
    OUTCOME_DISPENSING = 2,
    OUTCOME_DONE = 3,
    OUTCOME_PARTIAL = 4,
    OUTCOME_JAMMED = 5,
    OUTCOME_REFUSED = 6,
    OUTCOME_INTERRUPTED = 7,
    OUTCOME_EXPIRED = 8,
};

enum refuse_reason {
    REASON_NONE = 0,
    REASON_BUSY = 1,
    REASON_STALE = 2,
    REASON_EXPIRED = 3,
    REASON_PORTION = 4,
    REASON_DAILY = 5,
    REASON_GAP = 6,
    REASON_BATTERY = 7,
    REASON_LATCHED = 8,
    REASON_NO_TIME = 9,
    REASON_UNKNOWN_KIND = 10,
};

/** Bits of `outcome.state` beside its enum outcome_state. */
enum {
    OUTCOME_STATE = 0x0f,
    /** Its id is the occurrence of a meal, not the number of a command. */
    OUTCOME_IS_MEAL = 0x80,
    /** A verified answer has named it. */
    OUTCOME_IS_CONFIRMED = 0x40,
    /** `grams` is known. */
    OUTCOME_HAS_GRAMS = 0x20,
};

/** What has become of one order: 12 bytes, since many are kept. */
struct outcome {
    uint32_t id;
    /** Seconds since 1970, 0 when no clock was there. */
    uint32_t at;
    uint16_t grams;
    uint8_t state;
    /** enum refuse_reason. */
    uint8_t reason;
};

/** Numbered fields of a feeder's state: FEEDER_STATE_KEYS. Those in `has` cross the wire (bit = number). */
struct feeder_state {
    int32_t fields[11];
    uint16_t has;
};

enum {
    STATE_HOPPER_PCT = 0,
    STATE_BATTERY_MV = 1,
    STATE_TEMP_TENTHS = 2,
    STATE_RSSI_DBM = 3,
    STATE_FED_G_TODAY = 4,
    STATE_MOTOR_RUNS = 5,
    STATE_JAMS = 6,
    STATE_WAKES = 7,
    STATE_FW = 8,
    STATE_RESET_REASON = 9,
    STATE_SCHEDULE_VERSION = 10,
    STATE_FIELDS = 11,
};

/** Why it does not run the release that it was told of: FIRMWARE_PROBLEMS. */
enum firmware_problem {
    PROBLEM_NONE = 0,
    PROBLEM_UNREACHABLE = 1,
    PROBLEM_DIGEST = 2,
    PROBLEM_STORAGE = 3,
    PROBLEM_ROLLED_BACK = 4,
};

/** What it says of its firmware. `problem` PROBLEM_NONE: nothing of another. */
struct firmware_word {
    uint32_t version;
    uint32_t tried;
    /** enum firmware_problem. */
    uint8_t problem;
};

/** One uplink. What is not there is marked so: `has_clock`, `has_age`, `interval_s` 0, `count` 0. */
struct uplink {
    struct feeder_state state;
    uint32_t age_s;
    uint32_t interval_s;
    uint32_t config_version;
    uint32_t clock;
    /** Now, to make ages of the outcomes' times; 0: no clock. */
    uint32_t now;
    const struct outcome *outcomes;
    uint8_t count;
    bool has_state;
    bool has_age;
    bool has_config_version;
    bool has_clock;
    bool is_unchanged;
    bool wants_no_answer;
    bool has_firmware;
    struct firmware_word firmware;
};

/** Bytes that an uplink takes at most. */
enum { UPLINK_MAX = 336 };

/** Writes the body. @return its length; 0: it does not fit */
size_t uplink_write(const struct uplink *uplink, uint8_t *out, size_t size);

struct command {
    uint32_t n;
    uint16_t grams;
    uint32_t ttl_s;
};

/** Limits that the cloud may lower, in the order of their keys. 0xffffffff: not said. */
struct feed_limits {
    uint32_t portion;
    uint32_t daily;
    uint32_t gap_s;
};
_Static_assert(sizeof(struct feed_limits) == 3 * sizeof(uint32_t), "read as three numbers");

struct config {
    uint32_t version;
    /** 0: not said. */
    uint32_t interval_s;
    struct feed_limits limits;
    /** Thousandths: grams that come for each gram that the bare motor counts. */
    uint16_t calibration;
    struct schedule schedule;
};

struct gateway {
    char id[GATEWAY_ID_MAX + 1];
    char host[GATEWAY_HOST_MAX + 1];
    uint16_t port;
};

struct gateways {
    uint32_t version;
    uint8_t count;
    struct gateway list[GATEWAYS_MAX];
};

/** A release of firmware. It is trusted, since it comes in verified answers only; the image is not before its digest is right. */
struct release {
    uint32_t version;
    /** Bytes. */
    uint32_t size;
    /** SHA-256. */
    uint8_t digest[RELEASE_DIGEST];
    /** Ended by a zero; four, so that there is no hole. */
    char url[RELEASE_URL_MAX + 4];
};

/** One answer. An outcome that it names is safe. */
struct downlink {
    /** 0: not said. */
    uint32_t time;
    struct command commands[COMMANDS_HEARD_MAX];
    uint8_t count;
    bool has_more;
    /** 0: none. */
    uint32_t acked_upto;
    uint32_t acked_meal;
    bool has_config;
    bool has_gateways;
    bool has_release;
};

/**
 * Reads an answer; an empty one says nothing. False: it is malformed, and then nothing of it may be acted on.
 * @param config written when `has_config`
 * @param gateways written when `has_gateways`; those with a longer host than we hold are left out
 * @param release written when `has_release`
 */
bool downlink_read(const uint8_t *body, size_t length, struct downlink *downlink, struct config *config,
                   struct gateways *gateways, struct release *release);

#endif
