#include "ladder.h"

#include <string.h>

enum { FRAME_VERSION = 1, FIRST_LEVEL = 2, STEP_UP_MS = 3000 };

const struct ladder_level ladder_levels[LADDER_LEVELS] = {
    {160, 120, 1600}, {240, 176, 2600}, {320, 240, 4000}, {320, 240, 7000}, {400, 296, 12000}, {640, 480, 20000},
};

static uint8_t lower(uint8_t a, uint8_t b)
{
    return a < b ? a : b;
}

/** The largest level at which nine tenths of the link carry the wanted rate. */
static uint8_t best(const struct ladder *ladder)
{
    uint8_t found = 0;
    if (ladder->goodput == 0) return lower(ladder->level, ladder->want.max_level);
    const int64_t room = (int64_t)ladder->goodput * 9 / (10 * ladder->want.target_fps);
    for (uint8_t level = 1; level <= ladder->want.max_level && level < LADDER_LEVELS; level++)
        if ((int64_t)ladder_levels[level].bytes * ladder->scale / 1000 <= room) found = level;
    return found;
}

static void choose(struct ladder *ladder, int64_t now)
{
    const uint8_t level = best(ladder);
    if (level < ladder->level)
        ladder->level = level;
    else if (level > ladder->level && now - ladder->changed_at >= STEP_UP_MS)
        ladder->level++;
    else
        return;
    ladder->changed_at = now;
}

void ladder_begin(struct ladder *ladder, struct ladder_want want, int64_t now)
{
    memset(ladder, 0, sizeof *ladder);
    ladder->want = want;
    ladder->level = lower(FIRST_LEVEL, want.max_level);
    ladder->scale = 1000;
    ladder->changed_at = ladder->due_at = now;
    ladder->least_delay = INT64_MAX;
}

void ladder_wants(struct ladder *ladder, struct ladder_want want, int64_t now)
{
    ladder->want = want;
    choose(ladder, now);
}

bool ladder_next(const struct ladder *ladder, int64_t *at)
{
    *at = ladder->due_at;
    return ladder->in_flight < LADDER_WINDOW;
}

void ladder_sent(struct ladder *ladder, uint32_t seq, uint32_t bytes, int64_t now)
{
    const int64_t interval = 1000 / ladder->want.max_fps;
    if (ladder->in_flight == LADDER_WINDOW) return;
    ladder->flying[ladder->in_flight].seq = seq;
    ladder->flying[ladder->in_flight].bytes = bytes;
    ladder->flying[ladder->in_flight++].at = now;
    /* One that went out late brings the next one forward, so that a sensor's own rhythm does not halve the rate. */
    if (ladder->due_at < now - interval) ladder->due_at = now - interval;
    ladder->due_at += interval;
    const int32_t scale = (int32_t)((int64_t)bytes * 1000 / ladder_levels[ladder->level].bytes);
    ladder->scale += (scale - ladder->scale) / 8;
}

void ladder_acked(struct ladder *ladder, uint32_t seq, int64_t now)
{
    uint8_t index = 0;
    while (index < ladder->in_flight && ladder->flying[index].seq != seq) index++;
    if (index == ladder->in_flight) return;
    const int64_t at = ladder->flying[index].at;
    const uint32_t bytes = ladder->flying[index].bytes;
    ladder->in_flight = (uint8_t)(ladder->in_flight - index - 1);
    memmove(ladder->flying, ladder->flying + index + 1, ladder->in_flight * sizeof ladder->flying[0]);
    if (now - at < ladder->least_delay) ladder->least_delay = now - at;
    const int64_t from = ladder->has_acked && ladder->acked_at > at ? ladder->acked_at : at;
    const int64_t took = now - from < 1 ? 1 : now - from;
    const int32_t sample = (int32_t)((int64_t)bytes * 1000 / took);
    /* A sample is the whole rate only where the picture was waiting for the link when the one before it had left. */
    const bool is_whole = ladder->has_acked && at <= ladder->acked_at - ladder->least_delay;
    ladder->acked_at = now;
    ladder->has_acked = true;
    if (ladder->goodput == 0) {
        ladder->goodput = sample;
    } else if (sample > ladder->goodput) {
        /* Acknowledgements that were held up somewhere come together, and would show a wonderful link. */
        const int32_t most = sample < 2 * ladder->goodput ? sample : 2 * ladder->goodput;
        ladder->goodput += (most - ladder->goodput) / 4;
    } else if (is_whole) {
        ladder->goodput -= (ladder->goodput - sample) / 2;
    }
    choose(ladder, now);
}

void frame_header(uint8_t *out, uint8_t level, uint32_t seq, uint64_t capture_us)
{
    memset(out, 0, FRAME_HEADER);
    out[0] = FRAME_VERSION;
    out[1] = level;
    for (unsigned i = 0; i < 4; i++) out[4 + i] = (uint8_t)(seq >> (24 - 8 * i));
    for (unsigned i = 0; i < 8; i++) out[8 + i] = (uint8_t)(capture_us >> (56 - 8 * i));
}
