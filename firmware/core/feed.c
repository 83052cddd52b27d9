#include "feed.h"

#include <string.h>

enum { HOUR_S = 3600 };

_Static_assert(offsetof(struct feed_record, outcomes) == 92 && sizeof(struct outcome) == 12 &&
                   sizeof(struct feed_record) == 92 + 12 * (FEED_RING + FEED_MEALS) + 4,
               "the record has no holes, and is the same on every machine");

uint32_t feed_crc(const void *data, size_t length)
{
    const uint8_t *bytes = data;
    uint32_t crc = UINT32_MAX;
    for (size_t i = 0; i < length; i++) {
        crc ^= bytes[i];
        for (unsigned bit = 0; bit < 8; bit++) crc = crc >> 1 ^ (0xedb88320u & (0u - (crc & 1)));
    }
    return ~crc;
}

void feed_new(struct feed_record *record)
{
    memset(record, 0, sizeof *record);
    record->version = FEED_RECORD_VERSION;
}

void feed_seal(struct feed_record *record)
{
    record->crc = feed_crc(record, offsetof(struct feed_record, crc));
}

bool feed_is_sound(const struct feed_record *record, size_t length)
{
    return length == sizeof *record && record->version == FEED_RECORD_VERSION &&
           record->outcome_count <= FEED_RING + FEED_MEALS &&
           record->crc == feed_crc(record, offsetof(struct feed_record, crc));
}

static void forget(struct feed_record *record, unsigned index)
{
    record->outcome_count--;
    memmove(&record->outcomes[index], &record->outcomes[index + 1],
            (record->outcome_count - index) * sizeof record->outcomes[0]);
}

static bool is_meal(const struct outcome *outcome)
{
    return (outcome->state & OUTCOME_IS_MEAL) != 0;
}

/** Outcomes of commands that stay until they are confirmed. */
static unsigned unconfirmed(const struct feed_record *record)
{
    unsigned count = 0;
    for (unsigned i = 0; i < record->outcome_count; i++)
        count += (record->outcomes[i].state & (OUTCOME_IS_MEAL | OUTCOME_IS_CONFIRMED)) == 0;
    return count;
}

/** Keeps one more. Among commands the oldest confirmed one makes room, among meals the oldest. */
static void keep(struct feed_record *record, const struct outcome *outcome)
{
    unsigned count = 0;
    unsigned oldest = record->outcome_count;
    for (unsigned i = record->outcome_count; i-- > 0;) {
        const struct outcome *kept = &record->outcomes[i];
        if (is_meal(kept) != is_meal(outcome)) continue;
        count++;
        if (is_meal(kept) || (kept->state & OUTCOME_IS_CONFIRMED) != 0) oldest = i;
    }
    if (count >= (is_meal(outcome) ? (unsigned)FEED_MEALS : (unsigned)FEED_RING)) {
        /* A command was only taken while there was room: not to be reached, but never past the end. */
        if (oldest == record->outcome_count) return;
        forget(record, oldest);
    }
    record->outcomes[record->outcome_count++] = *outcome;
}

/** Moves the ring of hours on to the hour of `now`, if that is a later one. */
static void advance(struct feed_record *record, uint32_t now)
{
    const uint32_t hour = now / HOUR_S;
    if (hour <= record->hour) return;
    uint32_t passed = hour - record->hour;
    if (passed > FEED_HOURS) passed = FEED_HOURS;
    for (uint32_t i = 0; i < passed; i++) record->hours[(hour - i) % FEED_HOURS] = 0;
    record->hour = hour;
}

/** Counts grams, more or fewer, in the hour of `at`; what is older than the ring is forgotten. */
static void count_grams(struct feed_record *record, uint32_t at, int32_t grams)
{
    const uint32_t hour = at / HOUR_S;
    advance(record, at);
    if (record->hour - hour >= FEED_HOURS) return;
    uint16_t *sum = &record->hours[hour % FEED_HOURS];
    const int32_t next = *sum + grams;
    *sum = (uint16_t)(next < 0 ? 0 : next > (int32_t)UINT16_MAX ? (int32_t)UINT16_MAX : next);
}

uint32_t feed_grams_of_day(const struct feed_record *record, uint32_t now)
{
    const uint32_t hour = now / HOUR_S;
    uint32_t sum = 0;
    for (uint32_t i = 0; i < FEED_HOURS; i++) {
        const uint32_t of = record->hour - i;
        if (of + FEED_HOURS > hour) sum += record->hours[of % FEED_HOURS];
    }
    return sum;
}

static uint32_t lower(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

enum refuse_reason feed_refusal(const struct feed_record *record, uint16_t grams, uint32_t not_after,
                                const struct circumstances *at)
{
    const struct feed_maxima *maxima = at->maxima;
    const struct feed_limits *limits = at->limits;
    const uint32_t gap = limits->gap_s == UINT32_MAX || limits->gap_s < maxima->gap_s ? maxima->gap_s : limits->gap_s;
    if (record->is_latched) return REASON_LATCHED;
    if (at->now == 0) return REASON_NO_TIME;
    if (at->now >= not_after) return REASON_EXPIRED;
    if (grams > lower(maxima->portion, limits->portion)) return REASON_PORTION;
    if (feed_grams_of_day(record, at->now) + grams > lower(maxima->daily, limits->daily)) return REASON_DAILY;
    /* The last one may lie in the future of a clock that was set back: then the gap is not over, either. */
    if (record->last_meal_at != 0 && at->now < record->last_meal_at + gap) return REASON_GAP;
    if (at->battery_mv < maxima->battery_min_mv) return REASON_BATTERY;
    return REASON_NONE;
}

/** An order with a new id: accepted, its grams reserved; or refused. */
static void take(struct feed_record *record, uint32_t id, uint8_t kind, uint16_t grams, uint32_t not_after,
                 const struct circumstances *at)
{
    const enum refuse_reason reason = feed_refusal(record, grams, not_after, at);
    if (reason != REASON_NONE) {
        keep(record, &(struct outcome){id, at->now, 0, (uint8_t)(kind | OUTCOME_REFUSED), (uint8_t)reason});
        return;
    }
    record->active = (uint8_t)(kind | OUTCOME_ACCEPTED);
    record->active_id = id;
    record->active_grams = grams;
    record->active_not_after = not_after;
    record->active_at = at->now;
    record->last_meal_at = at->now;
    count_grams(record, at->now, grams);
}

enum feed_decision feed_decide(struct feed_record *record, const struct command *command, const struct circumstances *at)
{
    if ((record->active & OUTCOME_STATE) != 0 && (record->active & OUTCOME_IS_MEAL) == 0 && record->active_id == command->n)
        return FEED_REPEATED;
    if (command->n <= record->high_water) {
        for (unsigned i = 0; i < record->outcome_count; i++) {
            struct outcome *kept = &record->outcomes[i];
            if (is_meal(kept) || kept->id != command->n) continue;
            kept->state &= (uint8_t)~OUTCOME_IS_CONFIRMED;
            return FEED_REPEATED;
        }
        return FEED_STALE;
    }
    if (record->active != 0 || unconfirmed(record) >= FEED_RING) return FEED_BUSY;
    record->high_water = command->n;
    take(record, command->n, 0, command->grams, at->now + command->ttl_s, at);
    return FEED_DECIDED;
}

void feed_take_meal(struct feed_record *record, const struct meal *meal, const struct circumstances *at)
{
    record->last_occurrence = meal->occurrence;
    take(record, meal->occurrence, OUTCOME_IS_MEAL, meal->grams, meal->not_after, at);
}

void feed_begin(struct feed_record *record, uint32_t now, bool is_past)
{
    if ((record->active & OUTCOME_STATE) != OUTCOME_ACCEPTED) return;
    if (is_past || now >= record->active_not_after) {
        feed_finish(record, OUTCOME_EXPIRED, 0, now);
        return;
    }
    record->active = (uint8_t)((record->active & OUTCOME_IS_MEAL) | OUTCOME_DISPENSING);
    record->motor_runs++;
}

void feed_finish(struct feed_record *record, enum outcome_state state, uint16_t grams, uint32_t now)
{
    /* After a power cut nobody knows how much was given: it counts, but is not told as a fact. */
    const bool is_known = state != OUTCOME_EXPIRED && state != OUTCOME_INTERRUPTED;
    const uint8_t kind = record->active & OUTCOME_IS_MEAL;
    if (record->active == 0) return;
    record->active = 0;
    count_grams(record, record->active_at, grams - record->active_grams);
    if (state == OUTCOME_JAMMED) {
        record->is_latched = true;
        record->jams++;
    }
    keep(record, &(struct outcome){record->active_id, now, is_known ? grams : 0,
                                  (uint8_t)(kind | (is_known ? OUTCOME_HAS_GRAMS : 0) | state), REASON_NONE});
}

bool feed_wake(struct feed_record *record)
{
    if ((record->active & OUTCOME_STATE) != OUTCOME_DISPENSING) return false;
    feed_finish(record, OUTCOME_INTERRUPTED, record->active_grams, record->active_at);
    return true;
}

bool feed_has_news(const struct feed_record *record)
{
    for (unsigned i = 0; i < record->outcome_count; i++)
        if ((record->outcomes[i].state & OUTCOME_IS_CONFIRMED) == 0) return true;
    return record->active != 0;
}

uint8_t feed_tell(const struct feed_record *record, struct outcome *told)
{
    uint8_t count = 0;
    if (record->active != 0)
        told[count++] = (struct outcome){record->active_id, record->active_at, 0, record->active, REASON_NONE};
    /* Commands first: somebody waits for them. Meals that find no room follow when these are confirmed. */
    for (unsigned kind = 0; kind <= OUTCOME_IS_MEAL; kind += OUTCOME_IS_MEAL) {
        for (unsigned i = 0; i < record->outcome_count && count < OUTCOMES_TOLD_MAX; i++) {
            const struct outcome *kept = &record->outcomes[i];
            if ((kept->state & (OUTCOME_IS_CONFIRMED | OUTCOME_IS_MEAL)) == kind) told[count++] = *kept;
        }
    }
    return count;
}

bool feed_confirm(struct feed_record *record, const struct outcome *told, uint8_t count, uint32_t commands_upto,
                  uint32_t meals_upto)
{
    bool is_changed = false;
    for (unsigned i = record->outcome_count; i-- > 0;) {
        struct outcome *kept = &record->outcomes[i];
        if (kept->id > (is_meal(kept) ? meals_upto : commands_upto)) continue;
        for (unsigned j = 0; j < count; j++) {
            if (told[j].id != kept->id || told[j].state != kept->state) continue;
            is_changed = true;
            kept->state |= OUTCOME_IS_CONFIRMED;
            if (is_meal(kept)) forget(record, i);
            break;
        }
    }
    return is_changed;
}
