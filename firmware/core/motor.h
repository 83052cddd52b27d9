/** The motor while it dispenses: when it has given enough, and when it must stop before (design/feeding.md, F7). */
#ifndef PESEBRE_MOTOR_H
#define PESEBRE_MOTOR_H

#include <stdbool.h>
#include <stdint.h>

#include "check_in.h"

enum motor_direction { MOTOR_OFF = 0, MOTOR_FORWARD = 1, MOTOR_REVERSE = 2 };

/** What is known of the mechanism; the defaults are starting values for a real one (settings.c). */
struct motor_settings {
    /** What one pulse of the encoder dispenses, milligrams. */
    uint32_t mg_per_pulse;
    /** No pulse for so long is a stall. */
    uint16_t stall_ms;
    /** More current than this for `overcurrent_ms` is one, too. */
    uint16_t current_max_ma;
    uint16_t overcurrent_ms;
    uint16_t reverse_ms;
    uint8_t reversals_max;
    /** Under load, for `overcurrent_ms`: the battery would not bear more. */
    uint16_t battery_min_mv;
    /** Longest run, whatever the encoder says. */
    uint32_t run_max_ms;
};

/** What the port reads while the motor runs. */
struct motor_reading {
    /** Pulses of the encoder since it was switched on, those in reverse not counted. */
    uint32_t pulses;
    uint16_t current_ma;
    uint16_t battery_mv;
    /** The hopper is known to be empty. */
    bool is_empty;
};

struct motor {
    uint32_t target_mg;
    uint32_t started_ms;
    uint32_t pulse_ms;
    uint32_t calm_ms;
    uint32_t strong_ms;
    uint32_t reversed_ms;
    uint32_t pulses;
    uint8_t reversals;
    uint8_t direction;
};

/** How often to look while it runs, milliseconds. */
enum { MOTOR_TICK_MS = 20 };

/** Begins a portion, in grams as the bare motor counts them; `now` in milliseconds of any clock that does not step. Switch the motor to `direction`. */
void motor_start(struct motor *motor, uint32_t grams, uint32_t now);

/**
 * Looks at it. The motor is to be switched to `direction`; while that is not MOTOR_OFF, it runs on.
 * @return 0 while it runs on; else OUTCOME_DONE, OUTCOME_PARTIAL or OUTCOME_JAMMED
 */
uint8_t motor_tick(struct motor *motor, const struct motor_settings *settings, const struct motor_reading *reading,
                   uint32_t now);

/** What was dispensed so far, in the same grams. */
uint32_t motor_grams(const struct motor *motor, const struct motor_settings *settings);

#endif
