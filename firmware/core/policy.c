#include "policy.h"

enum {
    LIVE_PCT = 30,
    LOW_PCT = 20,
    EMPTY_PCT = 10,
    LIVE_FAILURES = 3,
    SHIFT_MAX = 12,
    URGENT_FOR_S = 2 * 3600,
    /** Share of the newest round trip in the smoothed one: an eighth (RFC 6298 section 2.3). */
    SRTT_SHARE = 8,
};

static uint32_t clamp(uint32_t value, uint32_t min, uint32_t max)
{
    return value < min ? min : value > max ? max : value;
}

uint8_t policy_battery_pct(const struct policy_settings *settings, uint16_t millivolts)
{
    const uint32_t span = (uint32_t)settings->battery_full_mv - settings->battery_empty_mv;
    const uint32_t above = clamp(millivolts, settings->battery_empty_mv, settings->battery_full_mv) - settings->battery_empty_mv;
    return (uint8_t)(above * 100 / span);
}

bool policy_asks(const struct policy *policy, const struct policy_settings *settings, const struct policy_inputs *inputs)
{
    if (policy->failures > 0 && (int32_t)(inputs->now_s - policy->ask_from_s) < 0) return false;
    if (inputs->is_urgent) return true;
    if (inputs->battery_pct > LIVE_PCT && policy->failures < LIVE_FAILURES) return true;
    return inputs->now_s - policy->verified_s >= settings->ask_after_s;
}

uint16_t policy_window_ms(const struct policy *policy, const struct policy_settings *settings)
{
    if (policy->srtt_ms == 0) return settings->window_max_ms;
    return (uint16_t)clamp(3u * policy->srtt_ms, settings->window_min_ms, settings->window_max_ms);
}

uint8_t policy_gateway(struct policy *policy, uint8_t count, bool asks)
{
    if (!asks) return (uint8_t)(policy->beacons++ % count);
    return (uint8_t)(policy->gateway % count);
}

void policy_answered(struct policy *policy, uint32_t now_s, uint16_t rtt_ms)
{
    const uint16_t rtt = rtt_ms == 0 ? 1 : rtt_ms;
    const uint16_t before = policy->srtt_ms == 0 ? rtt : policy->srtt_ms;
    policy->srtt_ms = (uint16_t)((before * (SRTT_SHARE - 1u) + rtt + SRTT_SHARE - 1) / SRTT_SHARE);
    policy->verified_s = now_s;
    policy->failures = 0;
    policy->associations_failed = 0;
}

void policy_failed(struct policy *policy, const struct policy_settings *settings, uint32_t interval_s, bool is_urgent,
                   uint32_t now_s, uint32_t random)
{
    if (policy->failures == 0) policy->failing_since_s = now_s;
    if (policy->failures < SHIFT_MAX) policy->failures++;
    const bool is_hurried = is_urgent && now_s - policy->failing_since_s < URGENT_FOR_S;
    const uint32_t most = is_hurried ? settings->back_off_urgent_s : settings->back_off_max_s;
    /* One loss says little: the next wake asks the next gateway. Then twice, four times the interval. */
    const uint32_t wait = policy->failures == 1 ? 0 : clamp(interval_s << (policy->failures - 1), 1, most);
    /* Between three quarters and five quarters of it, in 256 steps. */
    policy->ask_from_s = now_s + wait * 3 / 4 + wait * (random & 0xff) / 512;
    policy->gateway++;
    /* Another gateway may be further away, and the last window may have been too short. */
    policy->srtt_ms = 0;
}

uint32_t policy_interval_s(const struct policy_settings *settings, uint32_t wanted, uint8_t battery_pct)
{
    const uint32_t interval = clamp(wanted == 0 ? settings->interval_s : wanted, settings->interval_min_s, settings->interval_max_s);
    if (battery_pct < EMPTY_PCT) return settings->interval_max_s;
    return battery_pct < LOW_PCT ? clamp(2 * interval, 1, settings->interval_max_s) : interval;
}

uint32_t policy_sleep_ms(uint32_t interval_s, uint32_t random)
{
    /* 95 to 105 %, in 256 steps. */
    return interval_s * 950 + interval_s * (random & 0xff) * 100 / 256;
}

uint32_t policy_unreachable(struct policy *policy, const struct policy_settings *settings, uint32_t interval_s)
{
    const uint32_t wait = clamp(interval_s << policy->associations_failed, 1, settings->back_off_max_s);
    if (policy->associations_failed < SHIFT_MAX) policy->associations_failed++;
    return wait;
}

bool policy_may_scan(const struct policy *policy)
{
    return policy->associations_failed % 8 == 1;
}
