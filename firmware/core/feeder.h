/**
 * A feeder: what runs between radio, store and motor. It never waits: each step does what is to be done and says when the next one
 * is. So the same code runs on a chip that sleeps, in a browser-sized sandbox, and ten thousand times in one process.
 */
#ifndef PESEBRE_FEEDER_H
#define PESEBRE_FEEDER_H

#include "../port/port.h"
#include "feed.h"
#include "oscore.h"
#include "policy.h"
#include "update.h"

enum { FEEDER_KID = 5, FEEDER_SECRET = 16, FEEDER_BUSY_MAX = 4, FEEDER_DATAGRAM_MAX = 1280 };
/** Bytes of an image that are written at once. */
enum { FEEDER_BLOCK = 512 };

/** What is flashed into one feeder, and what its kind is made for. It stays the caller's, and does not change. */
struct feeder_settings {
    uint8_t kid[FEEDER_KID];
    uint8_t secret[FEEDER_SECRET];
    /** Where it begins: those that it is told of later come first, these are never dropped (P8). */
    struct gateways gateways;
    struct policy_settings policy;
    struct feed_maxima maxima;
    struct motor_settings motor;
    struct update_settings update;
    /** Sequence numbers reserved in the store at once. */
    uint32_t sequence_step;
    /** How often the clock is compared with the gateway's, and rarely changing fields are told, seconds. */
    uint32_t full_after_s;
    /** Version of the firmware that this is. */
    uint32_t firmware;
};

/** Everything but identity and gateways, as the design has it. */
void feeder_defaults(struct feeder_settings *settings);

/** What lasts over a deep sleep. Lost or damaged: a cold start. */
struct feeder_sleep {
    uint32_t size;
    /** Seconds since 1970 less the uptime; counts when `has_clock`. */
    uint32_t clock_offset;
    /** The end of the active order by the uptime: a clock that is set back must not prolong it. */
    uint32_t deadline_s;
    uint32_t next_check_in_s;
    /** When it was switched on, and before when no firmware is fetched, by the uptime. */
    uint32_t started_s;
    uint32_t update_from_s;
    /** The network is not tried before. */
    uint32_t join_from_s;
    uint32_t full_s;
    /** CRC of the state that was told last, when it was answered. */
    uint32_t told_state;
    /** Next sequence number, and the one from which on the store has to be written first. */
    uint32_t sequence;
    uint32_t ceiling;
    uint32_t wakes;
    uint32_t ignored;
    /** Commands that came while it was busy, and until when they may come again, by the uptime. */
    struct {
        uint32_t n;
        uint32_t until_s;
    } busy[FEEDER_BUSY_MAX];
    struct policy policy;
    struct oscore_context context;
    /** Whose context it is: index of the gateway plus 1; 0 for nobody's. */
    uint8_t context_of;
    uint8_t has_clock;
    uint8_t has_told_state;
    uint8_t is_urgent;
    uint32_t crc;
};

/** A configuration as it lies in the store. */
struct feeder_config {
    struct config config;
    /** Meals up to here are none of this schedule: it came later. */
    uint32_t after;
    uint32_t crc;
};

/** All of a feeder; about 6 kB, the caller's. Nobody else looks into it. */
struct feeder {
    const struct port *port;
    const struct feeder_settings *settings;
    struct feeder_sleep sleep;
    struct feed_record record;
    /** What the record becomes, if it can be made durable. */
    struct feed_record next;
    struct feeder_config config;
    struct feeder_config new_config;
    struct gateways gateways;
    struct gateways new_gateways;
    struct update update;
    struct release new_release;
    struct motor motor;
    struct port_senses senses;
    struct oscore_request request;
    /** What the request told: its answer confirms it. */
    struct outcome told[OUTCOMES_TOLD_MAX];
    /** Commands that are older than anything remembered, or will not run any more: told once, kept nowhere. */
    struct outcome passing[FEEDER_BUSY_MAX];
    uint8_t datagram[UPLINK_MAX + OSCORE_OVERHEAD_MAX + 40];
    uint32_t woken_ms;
    uint32_t sent_ms;
    uint32_t window_ms;
    uint32_t state_crc;
    uint32_t interval_s;
    /** Of a download: where it began, what is written, when it began and when a byte came last. */
    uint32_t fetch_from;
    uint32_t fetch_offset;
    uint32_t fetch_began_ms;
    uint32_t fetch_heard_ms;
    uint8_t block[FEEDER_BLOCK];
    uint16_t block_length;
    uint8_t told_count;
    uint8_t passing_count;
    /** Exchanges in this wake. */
    uint8_t exchanges;
    /** The stage of the active order that was reported last. */
    uint8_t told_stage;
    /** How the motor came to rest: it is not in the store yet. 0: it runs, or there is nothing. */
    uint8_t ended;
    bool is_asleep;
    bool is_awaiting;
    bool is_beacon;
    bool is_full;
    bool is_clock_told;
    bool has_echoed;
    /** Something is worth an exchange in this wake. */
    bool has_news;
    /** No answer came in this wake: nothing more is asked, but for the end of a portion. */
    bool is_deaf;
    /** A portion has ended since the last report. */
    bool has_end;
    bool is_running;
    /** The store could not be written in this wake: no order is begun. */
    bool is_store_bad;
    /** A meal is due, and waits for the gap since the last portion. */
    bool is_meal_waiting;
    bool is_fetching;
    /** There is something to say of the firmware. */
    bool has_word;
    /** What runs was said to stay. */
    bool is_kept;
    /** Another firmware was chosen: nothing is done any more. */
    bool is_over;
};

/** What the driver has to do until the next step. */
struct feeder_wait {
    /** Milliseconds; a step that comes sooner does no harm. */
    uint32_t ms;
    /** False: everything may be switched off until then, and the memory be lost but for what `retain` was given. */
    bool is_awake;
};

enum feeder_start {
    FEEDER_STARTED,
    /** There is no sequence in the store: it was never provisioned, or the store is lost. To begin again would use nonces twice. */
    FEEDER_NOT_PROVISIONED,
    /** The store cannot be read or written. */
    FEEDER_STORE_FAILED,
};

/** After a cold start, or after a deep sleep in which memory was lost. Settings and port outlive the feeder. */
enum feeder_start feeder_start(struct feeder *feeder, const struct port *port, const struct feeder_settings *settings);

/**
 * One step. @param datagram what came from the network since the last one, `length` 0 for nothing; it is spoilt
 */
struct feeder_wait feeder_step(struct feeder *feeder, uint8_t *datagram, size_t length);

/** A person has pressed the button: takes the latch off (F7), and reports. */
void feeder_button(struct feeder *feeder);

#endif
