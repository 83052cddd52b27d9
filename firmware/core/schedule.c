#include "schedule.h"

enum { MINUTE_S = 60, HOUR_S = 3600, DAY_S = 86400, DAYS_400_YEARS = 146097 };

/** Days from 1970-01-01 to the first day of a month, by the calendar of 400 years that begins each year in March. */
static uint32_t days_to(uint32_t year, uint32_t month)
{
    const uint32_t y = month <= 2 ? year - 1 : year;
    const uint32_t since_march = (month + 9) % 12;
    return y * 365 + y / 4 - y / 100 + y / 400 + (153 * since_march + 2) / 5 - 719468;
}

static uint32_t year_of(uint32_t days)
{
    /* The mean year is short enough never to guess too low by more than one. */
    uint32_t year = 1970 + (uint32_t)((uint64_t)days * 400 / DAYS_400_YEARS);
    if (days_to(year, 1) > days) year--;
    return year;
}

/** Seconds since 1970, by the clock that is changed, of a change in that year. */
static uint32_t change_in(const struct zone_change *change, uint32_t year)
{
    const uint32_t first = days_to(year, change->month);
    const uint32_t next = change->month == 12 ? days_to(year + 1, 1) : days_to(year, change->month + 1u);
    /* 1 January 1970 was a Thursday, day 4 of POSIX. */
    uint32_t day = first + (change->day + 7 - (first + 4) % 7) % 7 + (change->week - 1u) * 7;
    if (day >= next) day -= 7;
    return day * DAY_S + (uint32_t)(change->minute * MINUTE_S);
}

uint32_t local_minute(const struct zone_rule *rule, uint32_t now, uint32_t *next_change)
{
    int32_t offset = rule->standard;
    *next_change = UINT32_MAX;
    if (rule->standard != rule->daylight) {
        const uint32_t year = year_of(now / DAY_S);
        /* From the year before to the one after: the last change before now decides. */
        for (uint32_t y = year - 1; y <= year + 1; y++) {
            const uint32_t begins = change_in(&rule->begins, y) - (uint32_t)(rule->standard * MINUTE_S);
            const uint32_t ends = change_in(&rule->ends, y) - (uint32_t)(rule->daylight * MINUTE_S);
            for (unsigned i = 0; i < 2; i++) {
                const bool is_beginning = (begins < ends) == (i == 0);
                const uint32_t at = is_beginning ? begins : ends;
                if (at <= now)
                    offset = is_beginning ? rule->daylight : rule->standard;
                else if (at < *next_change)
                    *next_change = at;
            }
        }
    }
    return (now + (uint32_t)(offset * MINUTE_S)) / MINUTE_S;
}

/** Bit 0 is Monday. */
static bool is_on(const struct schedule_slot *slot, uint32_t day)
{
    return (slot->days >> ((day + 3) % 7) & 1) != 0;
}

bool schedule_due(const struct schedule *schedule, uint32_t last, uint32_t now, struct meal *meal)
{
    uint32_t next_change;
    const uint32_t local = local_minute(&schedule->rule, now, &next_change);
    const uint32_t today = local / MINUTES_OF_DAY;
    bool is_due = false;
    for (uint32_t day = today - 1; day <= today; day++) {
        for (unsigned i = 0; i < schedule->count; i++) {
            const struct schedule_slot *slot = &schedule->slots[i];
            const uint32_t occurrence = day * MINUTES_OF_DAY + slot->minute;
            if (occurrence > local || local - occurrence > MEAL_LATE_MAX || occurrence <= last || !is_on(slot, day)) continue;
            if (is_due && meal->occurrence <= occurrence) continue;
            is_due = true;
            meal->occurrence = occurrence;
            meal->grams = slot->grams;
            meal->not_after = now + (MEAL_LATE_MAX - (local - occurrence) + 1) * MINUTE_S;
        }
    }
    return is_due;
}

uint32_t schedule_wait(const struct schedule *schedule, uint32_t now, uint32_t limit)
{
    uint32_t next_change;
    const uint32_t local = local_minute(&schedule->rule, now, &next_change);
    const uint32_t minute = local % MINUTES_OF_DAY;
    const uint32_t into = now % MINUTE_S;
    if (schedule->count == 0) return limit;
    if (next_change - now < limit) limit = next_change - now;
    for (unsigned i = 0; i < schedule->count; i++) {
        const uint32_t ahead = (schedule->slots[i].minute + MINUTES_OF_DAY - minute) % MINUTES_OF_DAY;
        /* The minute that runs was looked at already: its next time is tomorrow. */
        const uint32_t wait = (ahead == 0 ? MINUTES_OF_DAY : ahead) * MINUTE_S - into;
        if (wait < limit) limit = wait;
    }
    return limit;
}
