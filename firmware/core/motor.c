#include "motor.h"

#include <string.h>

void motor_start(struct motor *motor, uint32_t grams, uint32_t now)
{
    memset(motor, 0, sizeof *motor);
    motor->target_mg = grams * 1000;
    motor->started_ms = motor->pulse_ms = motor->calm_ms = motor->strong_ms = now;
    motor->direction = MOTOR_FORWARD;
}

static uint8_t stop(struct motor *motor, enum outcome_state state)
{
    motor->direction = MOTOR_OFF;
    return (uint8_t)state;
}

uint8_t motor_tick(struct motor *motor, const struct motor_settings *settings, const struct motor_reading *reading,
                   uint32_t now)
{
    if (reading->current_ma <= settings->current_max_ma) motor->calm_ms = now;
    if (reading->battery_mv >= settings->battery_min_mv) motor->strong_ms = now;
    if (reading->pulses != motor->pulses) {
        motor->pulses = reading->pulses;
        motor->pulse_ms = now;
    }
    if (motor->pulses >= (motor->target_mg + settings->mg_per_pulse - 1) / settings->mg_per_pulse)
        return stop(motor, OUTCOME_DONE);
    if (now - motor->started_ms >= settings->run_max_ms) return stop(motor, OUTCOME_JAMMED);
    if (motor->direction == MOTOR_REVERSE) {
        if (now - motor->reversed_ms < settings->reverse_ms) return 0;
        motor->direction = MOTOR_FORWARD;
        motor->pulse_ms = motor->calm_ms = now;
        return 0;
    }
    if (reading->is_empty || now - motor->strong_ms >= settings->overcurrent_ms) return stop(motor, OUTCOME_PARTIAL);
    if (now - motor->pulse_ms < settings->stall_ms && now - motor->calm_ms < settings->overcurrent_ms) return 0;
    if (motor->reversals == settings->reversals_max) return stop(motor, OUTCOME_JAMMED);
    motor->reversals++;
    motor->reversed_ms = now;
    motor->direction = MOTOR_REVERSE;
    return 0;
}

uint32_t motor_grams(const struct motor *motor, const struct motor_settings *settings)
{
    const uint32_t given = motor->pulses * settings->mg_per_pulse;
    /* The last pulse may bring a little more than was asked for: less than anybody weighs. */
    return (given < motor->target_mg ? given : motor->target_mg) / 1000;
}
