/**
 * When to wake, whether to want an answer, how long to wait for it, and which gateway to ask (design/feeding.md, Power;
 * research/firmware.md 5.2, P1 to P13). Pure: times and random numbers are arguments.
 */
#ifndef PESEBRE_POLICY_H
#define PESEBRE_POLICY_H

#include <stdbool.h>
#include <stdint.h>

/** Numbers of the policy. All but the last two are the design's. */
struct policy_settings {
    /** The window for an answer is three smoothed round trips, within these. 80 and 250 ms on Wi-Fi and Thread, 3 s on LTE. */
    uint16_t window_min_ms;
    uint16_t window_max_ms;
    /** How long the radio stays on behind a message that wants no answer. */
    uint16_t linger_ms;
    /** Longest wake, the motor's time left out; what is not said by then waits. */
    uint16_t wake_max_ms;
    /** In eco an answer is wanted when the last one is so long ago, seconds. */
    uint32_t ask_after_s;
    /** Longest time between two questions after failures, seconds; and while an outcome waits that nobody has heard of. */
    uint32_t back_off_max_s;
    uint32_t back_off_urgent_s;
    /** Limits of the interval between check-ins, seconds, and what it is until the cloud says. */
    uint32_t interval_min_s;
    uint32_t interval_max_s;
    uint32_t interval_s;
    /** Empty and full battery, millivolts. */
    uint16_t battery_empty_mv;
    uint16_t battery_full_mv;
};

/** What the policy remembers over a deep sleep. Times in seconds of the uptime. */
struct policy {
    uint32_t verified_s;
    uint32_t ask_from_s;
    /** Since when answers fail; counts while `failures` is not 0. */
    uint32_t failing_since_s;
    uint16_t srtt_ms;
    uint8_t failures;
    uint8_t gateway;
    uint8_t beacons;
    uint8_t is_low;
    uint8_t associations_failed;
    uint8_t is_started;
};

struct policy_inputs {
    uint32_t now_s;
    uint8_t battery_pct;
    /** An outcome that nobody has confirmed, a jam, a cold start, the button, a low battery first seen, a new configuration (P6). */
    bool is_urgent;
};

/** 0 to 100, linear between the two voltages. */
uint8_t policy_battery_pct(const struct policy_settings *settings, uint16_t millivolts);

/** Whether this message wants an answer (P3, P5 to P7). */
bool policy_asks(const struct policy *policy, const struct policy_settings *settings, const struct policy_inputs *inputs);

/** How long to wait for it, milliseconds (P4). */
uint16_t policy_window_ms(const struct policy *policy, const struct policy_settings *settings);

/** Which of `count` gateways: the last good one for a question, all in turn for what wants no answer (P8). */
uint8_t policy_gateway(struct policy *policy, uint8_t count, bool asks);

/** A verified answer came after `rtt_ms`. */
void policy_answered(struct policy *policy, uint32_t now_s, uint16_t rtt_ms);

/** None came in the window: back off, and go to the next gateway (P7, P8). */
void policy_failed(struct policy *policy, const struct policy_settings *settings, uint32_t interval_s, bool is_urgent,
                   uint32_t now_s, uint32_t random);

/** The interval between check-ins, seconds, which is also what is promised (P10). `wanted` 0: the settings'. */
uint32_t policy_interval_s(const struct policy_settings *settings, uint32_t wanted, uint8_t battery_pct);

/** The same with a jitter of 5 %, milliseconds: a stable of feeders must not wake together after a power cut (P11). */
uint32_t policy_sleep_ms(uint32_t interval_s, uint32_t random);

/**
 * The network could not be joined (P9). @return for how long it is not to be tried again, seconds: once, twice, four times the
 * interval, at most back_off_max_s.
 */
uint32_t policy_unreachable(struct policy *policy, const struct policy_settings *settings, uint32_t interval_s);

/** Whether all channels may be searched: on the second failure, then every eighth time (P9). */
bool policy_may_scan(const struct policy *policy);

#endif
