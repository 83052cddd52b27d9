#include "../core/schedule.h"

#include "check.h"

static const struct zone_rule madrid = {60, 120, {3, 5, 0, 120}, {10, 5, 0, 180}};
static const struct zone_rule santiago = {-240, -180, {9, 1, 6, 1440}, {4, 1, 6, 1440}};
static const struct zone_rule kolkata = {330, 330, {0, 0, 0, 0}, {0, 0, 0, 0}};

/* By `date -u -d ... +%s`. */
enum {
    MADRID_SPRING_2026 = 1774746000, /* 2026-03-29T01:00:00Z: 02:00 becomes 03:00 */
    MADRID_AUTUMN_2026 = 1792890000, /* 2026-10-25T01:00:00Z: 03:00 becomes 02:00 */
    SANTIAGO_SPRING_2026 = 1788667200, /* 2026-09-06T04:00:00Z */
    SANTIAGO_AUTUMN_2026 = 1775358000, /* 2026-04-05T03:00:00Z */
    LEAP_DAY_2028 = 1835395200, /* 2028-02-29T00:00:00Z */
};

static int32_t offset_at(const struct zone_rule *rule, uint32_t now)
{
    uint32_t next;
    return (int32_t)(local_minute(rule, now, &next) - now / 60);
}

static void test_offsets(void)
{
    EQUAL(offset_at(&madrid, MADRID_SPRING_2026 - 1), 60, "before spring");
    EQUAL(offset_at(&madrid, MADRID_SPRING_2026), 120, "at spring");
    EQUAL(offset_at(&madrid, MADRID_AUTUMN_2026 - 1), 120, "before autumn");
    EQUAL(offset_at(&madrid, MADRID_AUTUMN_2026), 60, "at autumn");
    EQUAL(offset_at(&santiago, SANTIAGO_SPRING_2026 - 1), -240, "before the southern spring");
    EQUAL(offset_at(&santiago, SANTIAGO_SPRING_2026), -180, "at the southern spring");
    EQUAL(offset_at(&santiago, SANTIAGO_AUTUMN_2026 - 1), -180, "before the southern autumn");
    EQUAL(offset_at(&santiago, SANTIAGO_AUTUMN_2026), -240, "at the southern autumn");
    EQUAL(offset_at(&kolkata, MADRID_SPRING_2026), 330, "no daylight saving");
    EQUAL(offset_at(&madrid, LEAP_DAY_2028), 60, "leap day");
    EQUAL(offset_at(&madrid, 1798761599), 60, "last second of 2026");
    EQUAL(offset_at(&madrid, 1798761600), 60, "first second of 2027");
    uint32_t next;
    local_minute(&madrid, MADRID_SPRING_2026 - 100, &next);
    EQUAL(next, MADRID_SPRING_2026, "the next change");
    local_minute(&madrid, MADRID_AUTUMN_2026, &next);
    EQUAL(next, 1806195600, "the next change is next year's: 2027-03-28T01:00:00Z");
}

static struct schedule daily(uint16_t minute, uint16_t grams)
{
    return (struct schedule){.slots = {{minute, grams, 127}}, .count = 1, .rule = madrid};
}

/** How often a meal runs, minute by minute, between two instants. */
static unsigned runs_between(const struct schedule *schedule, uint32_t from, uint32_t to, uint32_t *first)
{
    uint32_t last = 0;
    unsigned runs = 0;
    struct meal meal;
    uint32_t change;
    last = local_minute(&schedule->rule, from, &change) - 1;
    for (uint32_t now = from; now < to; now += 60) {
        if (!schedule_due(schedule, last, now, &meal)) continue;
        CHECK(meal.occurrence > last, "occurrences rise");
        last = meal.occurrence;
        if (runs++ == 0) *first = now;
    }
    return runs;
}

static void test_clock_changes(void)
{
    uint32_t first = 0;
    struct schedule skipped = daily(150, 500);
    EQUAL(runs_between(&skipped, MADRID_SPRING_2026 - 3600, MADRID_SPRING_2026 + 7200, &first), 1, "02:30 that does not come");
    EQUAL(first, MADRID_SPRING_2026, "runs at the first instant after the gap");
    struct schedule doubled = daily(150, 500);
    EQUAL(runs_between(&doubled, MADRID_AUTUMN_2026 - 7200, MADRID_AUTUMN_2026 + 7200, &first), 1, "02:30 that comes twice");
    EQUAL(first, MADRID_AUTUMN_2026 - 1800, "runs the first time");
    struct schedule ordinary = daily(420, 500);
    EQUAL(runs_between(&ordinary, MADRID_SPRING_2026, MADRID_SPRING_2026 + 7 * 86400, &first), 7, "each day once");
}

static void test_due(void)
{
    /* 2026-11-20 was a Friday; 07:00 in Madrid is 06:00 UTC. */
    enum { FRIDAY = 1795132800, SEVEN = FRIDAY + 6 * 3600 };
    struct schedule schedule = daily(420, 1500);
    struct meal meal = {0, 0, 0};
    CHECK(!schedule_due(&schedule, 0, SEVEN - 60, &meal), "not yet");
    CHECK(schedule_due(&schedule, 0, SEVEN, &meal), "due");
    EQUAL(meal.grams, 1500, "grams");
    EQUAL(meal.occurrence, (SEVEN / 86400) * 1440 + 420, "occurrence: local day and minute");
    EQUAL(meal.not_after, SEVEN + 121 * 60, "its time is past two hours later");
    CHECK(!schedule_due(&schedule, meal.occurrence, SEVEN, &meal), "once");
    CHECK(schedule_due(&schedule, 0, SEVEN + 120 * 60, &meal), "two hours late");
    CHECK(!schedule_due(&schedule, 0, SEVEN + 121 * 60, &meal), "too late");
    schedule.slots[0].days = 1 << 4;
    CHECK(schedule_due(&schedule, 0, SEVEN, &meal), "on Fridays");
    schedule.slots[0].days = 127 - (1 << 4);
    CHECK(!schedule_due(&schedule, 0, SEVEN, &meal), "not on Fridays");
    struct schedule two = {.slots = {{430, 300, 127}, {420, 200, 127}}, .count = 2, .rule = madrid};
    CHECK(schedule_due(&two, 0, SEVEN + 1800, &meal) && meal.grams == 200, "the older one first");
    struct schedule late = daily(1430, 100);
    CHECK(schedule_due(&late, 0, FRIDAY - 3600 + 900, &meal), "yesterday's last meal, after midnight");
    struct schedule none = {.count = 0};
    CHECK(!schedule_due(&none, 0, SEVEN, &meal), "no schedule");
    EQUAL(schedule_wait(&none, SEVEN, 300), 300, "nothing to wait for");
    EQUAL(schedule_wait(&late, FRIDAY, 100000), (1430 - 60) * 60, "until the meal");
    schedule = daily(420, 1);
    EQUAL(schedule_wait(&schedule, SEVEN - 90, 300), 90, "to the second");
    EQUAL(schedule_wait(&schedule, SEVEN + 30, 100000), 86400 - 30, "tomorrow's");
    EQUAL(schedule_wait(&schedule, MADRID_SPRING_2026 - 100, 300), 100, "a clock change is looked at");
}

void test_schedule(void)
{
    test_offsets();
    test_clock_changes();
    test_due();
}
