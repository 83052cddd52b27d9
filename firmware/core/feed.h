/**
 * How a feeder decides (design/feeding.md, F1 to F9), as steps from one record to the next. Whoever drives it makes each record
 * durable before the next step: that order is what makes a portion run at most once, wherever the power goes.
 */
#ifndef PESEBRE_FEED_H
#define PESEBRE_FEED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "check_in.h"

enum {
    /** Outcomes of commands that are kept: one that no answer has named is never dropped (F9). */
    FEED_RING = 8,
    /** Outcomes of meals: a schedule's worth. The oldest makes room, since an animal is fed whether or not there is a network. */
    FEED_MEALS = SCHEDULE_SLOTS_MAX,
    FEED_HOURS = 25,
    FEED_RECORD_VERSION = 1,
};

/**
 * All that a feeder has to remember over a power cut, as it lies in the store: little endian, no holes, ended by its CRC.
 * Times in seconds since 1970.
 */
struct feed_record {
    uint8_t version;
    /** OUTCOME_ACCEPTED or OUTCOME_DISPENSING, with OUTCOME_IS_MEAL; 0 when nothing is being worked on. */
    uint8_t active;
    /** Nothing runs until a person has pressed the button (F7). */
    uint8_t is_latched;
    uint8_t outcome_count;
    uint16_t active_grams;
    /** Grams by the hour: hour h in [h % FEED_HOURS], for the hours up to `hour`. */
    uint16_t hours[FEED_HOURS];
    uint32_t hour;
    uint32_t active_id;
    uint32_t active_not_after;
    /** When it was accepted: its grams are counted in this hour. */
    uint32_t active_at;
    /** Highest number of a command that was decided on: none at or below it is ever acted on (F2). */
    uint32_t high_water;
    /** The same for meals. */
    uint32_t last_occurrence;
    uint32_t last_meal_at;
    uint32_t motor_runs;
    uint32_t jams;
    /** The oldest first; of commands at most FEED_RING. */
    struct outcome outcomes[FEED_RING + FEED_MEALS];
    uint32_t crc;
};

/** What is compiled in (settings.h): the cloud may lower it, and never exceed it (F5). */
struct feed_maxima {
    uint16_t portion;
    uint16_t daily;
    uint16_t gap_s;
    /** Under this the motor would take the feeder down with it, millivolts. */
    uint16_t battery_min_mv;
};

/** What a decision depends on beside the record. */
struct circumstances {
    /** Seconds since 1970; 0: no clock since the cold start (F8). */
    uint32_t now;
    uint16_t battery_mv;
    const struct feed_maxima *maxima;
    const struct feed_limits *limits;
};

/** A record as it leaves the factory. */
void feed_new(struct feed_record *record);
/** Fills in the CRC, before the record is stored. */
void feed_seal(struct feed_record *record);
/** Whether these bytes are a record that can be relied on. */
bool feed_is_sound(const struct feed_record *record, size_t length);

/** After the power came back (F4). True: the record has changed. */
bool feed_wake(struct feed_record *record);

enum feed_decision {
    /** The record has changed: accepted, or refused for good. Make it durable. */
    FEED_DECIDED,
    /** Decided before; its outcome is told again. */
    FEED_REPEATED,
    /** Older than anything remembered (F2). */
    FEED_STALE,
    /** Not now, and the number is not used up: it may come again (F6, F9). */
    FEED_BUSY,
};

/** Decides on a command of a verified answer. */
enum feed_decision feed_decide(struct feed_record *record, const struct command *command, const struct circumstances *at);

/** Why a portion may not be given, or REASON_NONE. The first reason in the order of F5. */
enum refuse_reason feed_refusal(const struct feed_record *record, uint16_t grams, uint32_t not_after,
                                const struct circumstances *at);

/** Takes a meal, or not: then that was it. Nothing else is active, and there is a clock. */
void feed_take_meal(struct feed_record *record, const struct meal *meal, const struct circumstances *at);

/** The step before the motor: dispensing, or expired when its time is past (F4). */
void feed_begin(struct feed_record *record, uint32_t now, bool is_past);

/** The step after the motor: what was not given does not count. A jam latches. `now` 0: no clock. */
void feed_finish(struct feed_record *record, enum outcome_state state, uint16_t grams, uint32_t now);

/** What an uplink has to tell: at most OUTCOMES_TOLD_MAX. @return how many */
uint8_t feed_tell(const struct feed_record *record, struct outcome *told);

/**
 * After a verified answer: forgets or marks what it named (F9). It confirms what was in that very request: that it names a number
 * says nothing of an outcome which came to be since. True: the record has changed.
 */
bool feed_confirm(struct feed_record *record, const struct outcome *told, uint8_t count, uint32_t commands_upto,
                  uint32_t meals_upto);

/** Whether an outcome waits to be told, or an order is being worked on. */
bool feed_has_news(const struct feed_record *record);

/** Grams that count against a day at `now`. A clock that was set back frees nothing (F8). */
uint32_t feed_grams_of_day(const struct feed_record *record, uint32_t now);

/** CRC-32 of IEEE 802.3: against flips and torn writes, not against people. */
uint32_t feed_crc(const void *data, size_t length);

#endif
