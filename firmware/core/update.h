/**
 * When a feeder takes another firmware, and when it gives one up: as steps from one record to the next, as feed.h has it. Whoever
 * drives it (fetch.c) makes each record durable before the next step. So wherever the power goes, an image that was not verified
 * never boots, and the feeder ends on the old firmware or on the new one.
 */
#ifndef PESEBRE_UPDATE_H
#define PESEBRE_UPDATE_H

#include "check_in.h"

struct update_settings {
    /** Below it no download is begun. */
    uint8_t battery_min_pct;
    /** Attempts at one release that came to nothing; one that has brought bytes nearer is none. */
    uint8_t attempts_max;
    /** No meal may be due for so long: a restart takes the clock away until the next verified answer. */
    uint32_t clear_s;
    /** From a failed attempt to the next, doubled each time, seconds. */
    uint32_t back_off_s;
    /** A new firmware that has no verified answer in this time is given up, seconds. */
    uint32_t trial_s;
    /** Longest time without a byte, and longest download in one wake, milliseconds. What is durable by then is not asked for again. */
    uint32_t stalled_ms;
    uint32_t fetch_max_ms;
    /** Bytes after which progress is made durable: a multiple of FEEDER_BLOCK, and of what the flash erases at once. */
    uint32_t step;
};

enum update_stage {
    UPDATE_NONE,
    /** Told of, not yet on this machine. */
    UPDATE_WANTED,
    /** Its image is verified and was chosen to boot: it is on trial, or has not come up. */
    UPDATE_SWITCHED,
    /** Never again, unless something of the release changes. */
    UPDATE_FAILED,
};

/** As it lies in the store: little endian, no holes. */
struct update {
    struct release release;
    /** Bytes of the image that are in the other slot. */
    uint32_t offset;
    /** enum update_stage. */
    uint8_t stage;
    uint8_t attempts;
    /** How often it was chosen to boot. */
    uint8_t boots;
    /** enum firmware_problem, of the last attempt. */
    uint8_t problem;
    uint32_t crc;
};
_Static_assert(sizeof(struct update) == sizeof(struct release) + 12, "no holes");

/** Another release. @return whether the record has changed: not by the one that runs, nor by one that is known, whatever became of it */
bool update_hear(struct update *update, const struct release *release, uint32_t running);

/** At each start. @return whether the record has changed */
bool update_start(struct update *update, uint32_t running);

/** Whether what runs is on trial. */
bool update_is_trial(const struct update *update, uint32_t running);

/** An attempt has failed. @param has_progress bytes have become durable @return for how long there is to be no other, seconds */
uint32_t update_fail(struct update *update, const struct update_settings *settings, enum firmware_problem problem, bool has_progress);

/** Before the image is chosen to boot. */
void update_switch(struct update *update);

/** What to say of it. */
struct firmware_word update_word(const struct update *update, uint32_t running);

#endif
