#include "../core/policy.h"

#include "../core/feeder.h"
#include "check.h"

static struct feeder_settings settings;

static bool asks(const struct policy *policy, uint32_t now, uint8_t battery, bool is_urgent)
{
    const struct policy_inputs inputs = {now, battery, is_urgent};
    return policy_asks(policy, &settings.policy, &inputs);
}

static void test_profiles(void)
{
    struct policy policy = {.verified_s = 1000};
    CHECK(asks(&policy, 1300, 31, false), "live: every check-in wants its answer");
    CHECK(!asks(&policy, 1300, 30, false), "eco at 30 %");
    CHECK(asks(&policy, 1300, 5, true), "eco, but urgent");
    CHECK(!asks(&policy, 1000 + 4 * 3600 - 1, 30, false), "eco before four hours");
    CHECK(asks(&policy, 1000 + 4 * 3600, 30, false), "eco after four hours");
}

static void test_back_off(void)
{
    struct policy policy = {.verified_s = 1000};
    uint32_t now = 2000;
    policy_failed(&policy, &settings.policy, 300, false, now, 128);
    CHECK(asks(&policy, now + 1, 90, false), "one loss: the next wake asks the next gateway");
    static const uint32_t waits[] = {600, 1200, 2400, 3600, 3600};
    for (unsigned i = 0; i < 5; i++) {
        policy_failed(&policy, &settings.policy, 300, false, now, 128);
        const uint32_t wait = policy.ask_from_s - now;
        EQUAL(wait, waits[i], "twice as long each time, an hour at most");
        CHECK(!asks(&policy, now + wait - 1, 90, true), "not before");
        CHECK(asks(&policy, now + wait, 90, true), "then");
        now += wait;
    }
    CHECK(!asks(&policy, now, 90, false), "three failures: eco");
    policy_answered(&policy, now, 40);
    CHECK(asks(&policy, now, 90, false), "an answer ends it");
    struct policy hurried = {0};
    policy_failed(&hurried, &settings.policy, 3600, true, 5000, 0);
    policy_failed(&hurried, &settings.policy, 3600, true, 5000, 0);
    EQUAL(hurried.ask_from_s - 5000, 900 * 3 / 4, "an outcome waits no longer than a quarter of an hour");
    policy_failed(&hurried, &settings.policy, 3600, true, 5000 + 7200, 255);
    CHECK(hurried.ask_from_s - 12200 > 3600, "for two hours");
    CHECK(hurried.ask_from_s - 12200 <= 3600 * 5 / 4, "and never above five quarters of an hour");
}

static void test_windows(void)
{
    struct policy policy = {0};
    EQUAL(policy_window_ms(&policy, &settings.policy), 250, "the longest while nothing is known");
    policy_answered(&policy, 1, 10);
    EQUAL(policy_window_ms(&policy, &settings.policy), 80, "never below 80 ms");
    for (unsigned i = 0; i < 50; i++) policy_answered(&policy, 1, 50);
    CHECK(policy_window_ms(&policy, &settings.policy) >= 145 && policy_window_ms(&policy, &settings.policy) <= 155, "three round trips");
    for (unsigned i = 0; i < 50; i++) policy_answered(&policy, 1, 5000);
    EQUAL(policy_window_ms(&policy, &settings.policy), 250, "never above 250 ms");
    policy_answered(&policy, 1, 0);
    CHECK(policy.srtt_ms > 0, "an answer in no time is known, too");
}

static void test_gateways(void)
{
    struct policy policy = {.gateway = 1};
    EQUAL(policy_gateway(&policy, 3, true), 1, "sticks");
    EQUAL(policy_gateway(&policy, 3, true), 1, "to the last good one");
    policy_failed(&policy, &settings.policy, 300, false, 1, 0);
    EQUAL(policy_gateway(&policy, 3, true), 2, "the next after a failure");
    policy_failed(&policy, &settings.policy, 300, false, 1, 0);
    EQUAL(policy_gateway(&policy, 3, true), 0, "in a ring");
    EQUAL(policy_gateway(&policy, 3, false), 0, "beacons");
    EQUAL(policy_gateway(&policy, 3, false), 1, "go to all");
    EQUAL(policy_gateway(&policy, 3, false), 2, "in turn");
}

static void test_intervals(void)
{
    const struct policy_settings *numbers = &settings.policy;
    EQUAL(policy_interval_s(numbers, 0, 90), 300, "as made");
    EQUAL(policy_interval_s(numbers, 600, 90), 600, "as the cloud says");
    EQUAL(policy_interval_s(numbers, 1, 90), 60, "not below a minute");
    EQUAL(policy_interval_s(numbers, 86400, 90), 3600, "not above an hour");
    EQUAL(policy_interval_s(numbers, 600, 19), 1200, "twice under 20 %");
    EQUAL(policy_interval_s(numbers, 3000, 19), 3600, "an hour at most");
    EQUAL(policy_interval_s(numbers, 60, 9), 3600, "an hour under 10 %");
    EQUAL(policy_sleep_ms(300, 0), 285000, "5 % less");
    CHECK(policy_sleep_ms(300, 255) > 314000 && policy_sleep_ms(300, 255) <= 315000, "5 % more");
    EQUAL(policy_battery_pct(numbers, 4200), 100, "full");
    EQUAL(policy_battery_pct(numbers, 3750), 50, "half");
    EQUAL(policy_battery_pct(numbers, 100), 0, "empty");
}

static void test_association(void)
{
    struct policy policy = {0};
    CHECK(!policy_may_scan(&policy), "no search at first");
    EQUAL(policy_unreachable(&policy, &settings.policy, 300), 300, "once");
    CHECK(policy_may_scan(&policy), "a search on the second try");
    EQUAL(policy_unreachable(&policy, &settings.policy, 300), 600, "twice");
    CHECK(!policy_may_scan(&policy), "not on the third");
    EQUAL(policy_unreachable(&policy, &settings.policy, 300), 1200, "four times");
    for (unsigned i = 0; i < 40; i++) EQUAL(policy_unreachable(&policy, &settings.policy, 3600), 3600, "an hour at most");
}

void test_policy(void)
{
    feeder_defaults(&settings);
    test_profiles();
    test_back_off();
    test_windows();
    test_gateways();
    test_intervals();
    test_association();
}
