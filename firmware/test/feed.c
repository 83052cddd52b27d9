#include "../core/feed.h"

#include "check.h"

enum { NOW = 1800000000 };
static const struct feed_maxima maxima = {2000, 6000, 60, 3300};
static const struct feed_limits unsaid = {UINT32_MAX, UINT32_MAX, UINT32_MAX};

static struct circumstances at(uint32_t now)
{
    return (struct circumstances){now, 3800, &maxima, &unsaid};
}

static struct feed_record fresh(void)
{
    struct feed_record record;
    feed_new(&record);
    return record;
}

static enum feed_decision give(struct feed_record *record, uint32_t n, uint16_t grams, uint32_t now)
{
    const struct command command = {n, grams, 600};
    const struct circumstances circumstances = at(now);
    return feed_decide(record, &command, &circumstances);
}

/** From accepted to done. */
static void run(struct feed_record *record, uint16_t grams, uint32_t now)
{
    feed_begin(record, now, false);
    feed_finish(record, OUTCOME_DONE, grams, now);
}

static uint8_t last_state(const struct feed_record *record)
{
    return record->outcomes[record->outcome_count - 1].state & OUTCOME_STATE;
}

static uint8_t last_reason(const struct feed_record *record)
{
    return record->outcomes[record->outcome_count - 1].reason;
}

static void test_path(void)
{
    struct feed_record record = fresh();
    EQUAL(give(&record, 1, 500, NOW), FEED_DECIDED, "taken");
    EQUAL(record.active, OUTCOME_ACCEPTED, "accepted");
    EQUAL(feed_grams_of_day(&record, NOW), 500, "reserved at once (F3)");
    EQUAL(give(&record, 2, 100, NOW), FEED_BUSY, "busy");
    EQUAL(record.high_water, 1, "busy does not use the id up (F6)");
    feed_begin(&record, NOW, false);
    EQUAL(record.active, OUTCOME_DISPENSING, "dispensing");
    feed_finish(&record, OUTCOME_DONE, 500, NOW + 9);
    EQUAL(last_state(&record), OUTCOME_DONE, "done");
    EQUAL(give(&record, 1, 500, NOW + 100), FEED_REPEATED, "told again (F2)");
    EQUAL(record.active, 0, "and not run again");
    EQUAL(give(&record, 2, 100, NOW + 100), FEED_DECIDED, "the next one");
    run(&record, 100, NOW + 100);
    for (uint32_t n = 3; n <= 20; n++) {
        struct outcome told[OUTCOMES_TOLD_MAX];
        const uint8_t count = feed_tell(&record, told);
        feed_confirm(&record, told, count, n, 0);
        EQUAL(give(&record, n, 1, NOW + 1000 * n), FEED_DECIDED, "in a row");
        run(&record, 1, NOW + 1000 * n);
    }
    EQUAL(record.outcome_count, FEED_RING, "the ring is full of confirmed ones and has room");
    EQUAL(give(&record, 1, 500, NOW + 30000), FEED_STALE, "older than anything remembered (F2)");
}

static void test_limits(void)
{
    static const struct {
        uint16_t grams;
        uint32_t now;
        uint32_t not_after;
        uint16_t battery;
        uint8_t is_latched;
        enum refuse_reason reason;
    } rows[] = {
        {500, NOW, NOW + 10, 3800, 0, REASON_NONE},
        {3000, 0, 0, 1000, 1, REASON_LATCHED},
        {3000, 0, 0, 1000, 0, REASON_NO_TIME},
        {3000, NOW, NOW, 1000, 0, REASON_EXPIRED},
        {2001, NOW, NOW + 1, 1000, 0, REASON_PORTION},
        {2000, NOW, NOW + 1, 3300, 0, REASON_NONE},
        {500, NOW, NOW + 1, 3299, 0, REASON_BATTERY},
    };
    for (unsigned i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct feed_record record = fresh();
        const struct circumstances circumstances = {rows[i].now, rows[i].battery, &maxima, &unsaid};
        record.is_latched = rows[i].is_latched;
        EQUAL(feed_refusal(&record, rows[i].grams, rows[i].not_after, &circumstances), rows[i].reason, "the order of F5");
    }
    struct feed_record record = fresh();
    struct circumstances circumstances = at(NOW);
    const struct feed_limits low = {800, 1000, 3600};
    const struct feed_limits high = {60000, 1000000, 1};
    circumstances.limits = &low;
    EQUAL(feed_refusal(&record, 801, NOW + 9, &circumstances), REASON_PORTION, "the cloud lowers");
    circumstances.limits = &high;
    EQUAL(feed_refusal(&record, 2001, NOW + 9, &circumstances), REASON_PORTION, "and never exceeds");
    give(&record, 1, 800, NOW);
    run(&record, 800, NOW);
    circumstances.now = NOW + 59;
    EQUAL(feed_refusal(&record, 1, NOW + 99, &circumstances), REASON_GAP, "the gap that is made in");
    circumstances.limits = &low;
    circumstances.now = NOW + 3599;
    EQUAL(feed_refusal(&record, 1, NOW + 9999, &circumstances), REASON_GAP, "the longer gap of the cloud");
    circumstances.now = NOW + 3600;
    EQUAL(feed_refusal(&record, 201, NOW + 9999, &circumstances), REASON_DAILY, "the lower day of the cloud");
    EQUAL(feed_refusal(&record, 200, NOW + 9999, &circumstances), REASON_NONE, "up to it");
}

static void test_day(void)
{
    struct feed_record record = fresh();
    for (uint32_t n = 1; n <= 3; n++) {
        give(&record, n, 2000, NOW + n * 100);
        run(&record, 2000, NOW + n * 100);
    }
    EQUAL(give(&record, 4, 1, NOW + 1000), FEED_DECIDED, "decided");
    EQUAL(last_reason(&record), REASON_DAILY, "the day is full");
    struct circumstances circumstances = at(NOW + 86400 - 1);
    EQUAL(feed_refusal(&record, 1, UINT32_MAX, &circumstances), REASON_DAILY, "still full a second less than a day later");
    circumstances.now = NOW - 7 * 86400;
    EQUAL(feed_refusal(&record, 1, UINT32_MAX, &circumstances), REASON_DAILY, "a clock set back frees nothing (F8)");
    circumstances.now = NOW + 86400 + 2 * 3600;
    EQUAL(feed_refusal(&record, 1, UINT32_MAX, &circumstances), REASON_NONE, "a day later it is free");
    EQUAL(feed_grams_of_day(&record, NOW + 86400 + 2 * 3600), 0, "nothing of that day counts");
}

static void test_ends(void)
{
    struct feed_record record = fresh();
    give(&record, 1, 1000, NOW);
    feed_begin(&record, NOW + 600, false);
    EQUAL(last_state(&record), OUTCOME_EXPIRED, "its time is past (F4)");
    EQUAL(feed_grams_of_day(&record, NOW), 0, "and nothing counts");
    give(&record, 2, 1000, NOW + 1000);
    feed_begin(&record, NOW + 500, true);
    EQUAL(last_state(&record), OUTCOME_EXPIRED, "the clock was set back, the other one knows better");
    give(&record, 3, 1000, NOW + 2000);
    CHECK(!feed_wake(&record), "accepted waits for the clock after a power cut (F4)");
    feed_begin(&record, NOW + 2000, false);
    CHECK(feed_wake(&record), "dispensing is never resumed (F4)");
    EQUAL(last_state(&record), OUTCOME_INTERRUPTED, "interrupted");
    EQUAL(feed_grams_of_day(&record, NOW + 2000), 1000, "the full portion counts");
    CHECK((record.outcomes[record.outcome_count - 1].state & OUTCOME_HAS_GRAMS) == 0, "how much came nobody knows");
    give(&record, 4, 1000, NOW + 3000);
    feed_begin(&record, NOW + 3000, false);
    feed_finish(&record, OUTCOME_JAMMED, 300, NOW + 3010);
    CHECK(record.is_latched && record.jams == 1, "a jam latches (F7)");
    EQUAL(feed_grams_of_day(&record, NOW + 3000), 1300, "what came counts");
    give(&record, 5, 1, NOW + 9000);
    EQUAL(last_reason(&record), REASON_LATCHED, "latched");
}

static void test_telling(void)
{
    struct feed_record record = fresh();
    struct outcome told[OUTCOMES_TOLD_MAX];
    for (uint32_t n = 1; n <= FEED_RING; n++) {
        EQUAL(give(&record, n, 1, NOW + n * 100), FEED_DECIDED, "room");
        run(&record, 1, NOW + n * 100);
    }
    EQUAL(give(&record, 9, 1, NOW + 5000), FEED_BUSY, "a full ring takes no more (F9)");
    EQUAL(record.high_water, 8, "and uses no number up");
    const struct meal meal = {1000, 10, NOW + 9000};
    const struct circumstances circumstances = at(NOW + 6000);
    feed_take_meal(&record, &meal, &circumstances);
    EQUAL(record.active, OUTCOME_ACCEPTED | OUTCOME_IS_MEAL, "a meal is given all the same (F1)");
    EQUAL(feed_tell(&record, told), OUTCOMES_TOLD_MAX, "as many as an uplink holds");
    EQUAL(told[0].state, OUTCOME_ACCEPTED | OUTCOME_IS_MEAL, "what is being worked on first");
    run(&record, 10, NOW + 6000);
    uint8_t count = feed_tell(&record, told);
    EQUAL(told[0].id, 1, "the oldest command first");
    told[0].state = OUTCOME_HAS_GRAMS | OUTCOME_PARTIAL;
    feed_confirm(&record, told, 1, 1, 0);
    EQUAL(record.outcomes[0].state & OUTCOME_IS_CONFIRMED, 0, "another end was told: this one is not confirmed");
    count = feed_tell(&record, told);
    CHECK(feed_confirm(&record, told, count, 3, 0), "confirmed");
    CHECK(!feed_confirm(&record, told, count, 3, 0), "once");
    EQUAL(feed_tell(&record, told), 6, "five commands and a meal are left");
    EQUAL(told[5].id, 1000, "the meal");
    CHECK(feed_confirm(&record, told, 6, 8, 1000), "all");
    CHECK(!feed_has_news(&record), "nothing is left to be told");
    EQUAL(give(&record, 8, 1, NOW + 9000), FEED_REPEATED, "confirmed, and asked again");
    EQUAL(feed_tell(&record, told), 1, "told again");

    struct feed_record meals = fresh();
    for (uint32_t i = 1; i <= FEED_MEALS + 10; i++) {
        const struct meal one = {i, 1, UINT32_MAX};
        const struct circumstances then = at(NOW + i * 100);
        feed_take_meal(&meals, &one, &then);
        run(&meals, 1, NOW + i * 100);
    }
    EQUAL(meals.outcome_count, FEED_MEALS, "a schedule's worth of meals");
    EQUAL(meals.outcomes[0].id, 11, "the oldest made room");
    for (uint32_t n = 1; n <= FEED_RING; n++) {
        give(&meals, n, 1, NOW + 100000 + n * 100);
        run(&meals, 1, NOW + 100000 + n * 100);
    }
    EQUAL(meals.outcome_count, FEED_MEALS + FEED_RING, "commands have room of their own");
}

static void test_record(void)
{
    struct feed_record record = fresh();
    give(&record, 1, 500, NOW);
    feed_seal(&record);
    CHECK(feed_is_sound(&record, sizeof record), "sound");
    CHECK(!feed_is_sound(&record, sizeof record - 1), "short");
    for (size_t i = 0; i < sizeof record; i += 7) {
        ((uint8_t *)&record)[i] ^= 4;
        CHECK(!feed_is_sound(&record, sizeof record), "a flipped bit");
        ((uint8_t *)&record)[i] ^= 4;
    }
    EQUAL(feed_crc("123456789", 9), 0xcbf43926, "CRC-32");
}

void test_feed(void)
{
    test_path();
    test_limits();
    test_day();
    test_ends();
    test_telling();
    test_record();
}
