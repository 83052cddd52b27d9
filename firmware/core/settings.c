#include <string.h>

#include "feeder.h"

void feeder_defaults(struct feeder_settings *settings)
{
    memset(settings, 0, sizeof *settings);
    settings->policy = (struct policy_settings){
        .window_min_ms = 80,
        .window_max_ms = 250,
        .linger_ms = 30,
        .wake_max_ms = 3000,
        .ask_after_s = 4 * 3600,
        .back_off_max_s = 3600,
        .back_off_urgent_s = 900,
        .interval_min_s = 60,
        .interval_max_s = 3600,
        .interval_s = 300,
        .battery_empty_mv = 3300,
        .battery_full_mv = 4200,
    };
    settings->maxima = (struct feed_maxima){.portion = 2000, .daily = 12000, .gap_s = 20, .battery_min_mv = 3300};
    settings->motor = (struct motor_settings){
        .mg_per_pulse = 1000,
        .stall_ms = 300,
        .current_max_ma = 4000,
        .overcurrent_ms = 150,
        .reverse_ms = 300,
        .reversals_max = 2,
        .battery_min_mv = 3000,
        .run_max_ms = 60000,
    };
    settings->update = (struct update_settings){
        .battery_min_pct = 50,
        .attempts_max = 3,
        .clear_s = 600,
        .back_off_s = 3600,
        .trial_s = 1800,
        .stalled_ms = 10000,
        .fetch_max_ms = 300000,
        .step = 65536,
    };
    settings->sequence_step = 64;
    settings->full_after_s = 3600;
}
