/**
 * Meals by the clock on the wall, worked out without a network. The zone comes as the rule of a POSIX TZ string, in integers
 * (contract/src/check-in.ts, `rule`): no table of zones, and nothing to parse.
 */
#ifndef PESEBRE_SCHEDULE_H
#define PESEBRE_SCHEDULE_H

#include <stdbool.h>
#include <stdint.h>

enum {
    SCHEDULE_SLOTS_MAX = 48,
    MINUTES_OF_DAY = 1440,
    /**
     * How late a meal may still begin, minutes of local time. More than the hour that a clock change skips: a meal in it runs at
     * the first instant after.
     */
    MEAL_LATE_MAX = 120,
};

/** When a clock change comes, as POSIX says Mm.w.d/time: week 5 is the last one, day 0 is Sunday. */
struct zone_change {
    uint8_t month;
    uint8_t week;
    uint8_t day;
    /** Minutes after midnight by the clock that is changed; may be negative or more than a day. */
    int16_t minute;
};

/** Offsets in minutes east of UTC. Without daylight saving both are the same. */
struct zone_rule {
    int16_t standard;
    int16_t daylight;
    struct zone_change begins;
    struct zone_change ends;
};

/** One meal: local minute of the day, grams, days (bit 0 is Monday). */
struct schedule_slot {
    uint16_t minute;
    uint16_t grams;
    uint8_t days;
};

struct schedule {
    struct schedule_slot slots[SCHEDULE_SLOTS_MAX];
    uint8_t count;
    struct zone_rule rule;
};

/** A meal whose time has come. */
struct meal {
    /** Its id: the local minute that it stands for, counted since 1970. An hour that comes twice has the same ones. */
    uint32_t occurrence;
    uint16_t grams;
    /** Seconds since 1970. */
    uint32_t not_after;
};

/** Minutes since 1970 on the wall at `now`, seconds since 1970 UTC. `next_change`: when the offset changes, or far away. */
uint32_t local_minute(const struct zone_rule *rule, uint32_t now, uint32_t *next_change);

/** The oldest meal that is due at `now` and lies after the occurrence `last`. False: none. */
bool schedule_due(const struct schedule *schedule, uint32_t last, uint32_t now, struct meal *meal);

/** Seconds until a meal may be due, or the clock changes: when to look again. At most `limit`, at least 1. */
uint32_t schedule_wait(const struct schedule *schedule, uint32_t now, uint32_t limit);

#endif
