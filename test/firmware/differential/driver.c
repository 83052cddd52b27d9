/**
 * Runs the feeding machine by a script, so that another program can compare it with a model (feeding.test.ts, motor.test.ts). Each
 * line of standard input is a letter and numbers; for each one `struct step` goes to standard output.
 */
#include <stdio.h>
#include <string.h>

#include "../../../firmware/core/feeder.h"

struct step {
    int32_t result;
    uint32_t grams_of_day;
    struct outcome told[OUTCOMES_TOLD_MAX];
    struct feed_record record;
};

/** What the machine is among, as a feeder holds it. */
struct scene {
    struct feed_record record;
    struct schedule schedule;
    uint32_t after;
    struct feed_maxima maxima;
    struct feed_limits limits;
    uint32_t now;
    uint16_t battery_mv;
    struct outcome told[OUTCOMES_TOLD_MAX];
    uint8_t told_count;
    struct motor motor;
    struct motor_settings mechanism;
};

enum { MEAL_NONE, MEAL_DECIDED, MEAL_WAITS };

/** As feeder.c does it. */
static int take_meal(struct scene *scene, const struct circumstances *at)
{
    struct meal meal;
    struct feed_record *record = &scene->record;
    const uint32_t last = record->last_occurrence > scene->after ? record->last_occurrence : scene->after;
    if (record->active != 0 || at->now == 0 || !schedule_due(&scene->schedule, last, at->now, &meal)) return MEAL_NONE;
    if (feed_refusal(record, meal.grams, meal.not_after, at) == REASON_GAP) return MEAL_WAITS;
    feed_take_meal(record, &meal, at);
    return MEAL_DECIDED;
}

/** The power goes and comes back: what was stored is all that is left. */
static int restart(struct scene *scene)
{
    uint8_t stored[sizeof(struct feed_record)];
    feed_seal(&scene->record);
    memcpy(stored, &scene->record, sizeof stored);
    memset(&scene->record, 0xa5, sizeof scene->record);
    memcpy(&scene->record, stored, sizeof stored);
    if (!feed_is_sound(&scene->record, sizeof stored)) return -1;
    return feed_wake(&scene->record);
}

/** Whether a stored record with one bit turned over is taken for a sound one. */
static int is_flip_taken(const struct scene *scene, uint32_t bit)
{
    struct feed_record record = scene->record;
    feed_seal(&record);
    ((uint8_t *)&record)[bit / 8 % sizeof record] ^= (uint8_t)(1u << bit % 8);
    return feed_is_sound(&record, sizeof record);
}

/** A look at the motor: direction, how it ended and grams in one number. */
static int look(struct scene *scene, const long *n)
{
    const struct motor_reading reading = {(uint32_t)n[1], (uint16_t)n[2], (uint16_t)n[3], n[4] != 0};
    const int end = motor_tick(&scene->motor, &scene->mechanism, &reading, (uint32_t)n[0]);
    return scene->motor.direction | end << 4 | (int)motor_grams(&scene->motor, &scene->mechanism) << 8;
}

static void set_zone(struct zone_rule *rule, const long *n)
{
    rule->standard = (int16_t)n[0];
    rule->daylight = (int16_t)n[1];
    rule->begins = (struct zone_change){(uint8_t)n[2], (uint8_t)n[3], (uint8_t)n[4], (int16_t)n[5]};
    rule->ends = (struct zone_change){(uint8_t)n[6], (uint8_t)n[7], (uint8_t)n[8], (int16_t)n[9]};
}

static int obey(struct scene *scene, char letter, const long *n, unsigned count)
{
    struct feed_record *record = &scene->record;
    const struct circumstances at = {scene->now, scene->battery_mv, &scene->maxima, &scene->limits};
    const struct command command = {(uint32_t)n[0], (uint16_t)n[1], (uint32_t)n[2]};
    switch (letter) {
    case 'n': /* a new feeder, with what is compiled into it */
        memset(scene, 0, sizeof *scene);
        feed_new(record);
        scene->maxima = (struct feed_maxima){(uint16_t)n[0], (uint16_t)n[1], (uint16_t)n[2], (uint16_t)n[3]};
        memset(&scene->limits, 0xff, sizeof scene->limits);
        return 0;
    case 'z': set_zone(&scene->schedule.rule, n); return 0;
    case 's': /* a schedule: after which occurrence, then minute, grams, days of each slot */
        scene->after = (uint32_t)n[0];
        scene->schedule.count = (uint8_t)((count - 1) / 3);
        for (unsigned i = 0; i < scene->schedule.count; i++)
            scene->schedule.slots[i] =
                (struct schedule_slot){(uint16_t)n[1 + 3 * i], (uint16_t)n[2 + 3 * i], (uint8_t)n[3 + 3 * i]};
        return 0;
    case 'l': scene->limits = (struct feed_limits){(uint32_t)n[0], (uint32_t)n[1], (uint32_t)n[2]}; return 0;
    case 'w': scene->now = (uint32_t)n[0]; scene->battery_mv = (uint16_t)n[1]; return 0;
    case 'c': return feed_decide(record, &command, &at);
    case 'm': return take_meal(scene, &at);
    case 'b': feed_begin(record, scene->now, n[0] != 0); return 0;
    case 'e': feed_finish(record, (enum outcome_state)n[0], (uint16_t)n[1], scene->now); return 0;
    case 'p': return restart(scene);
    case 'u': record->is_latched = false; return 0;
    case 't': return scene->told_count = feed_tell(record, scene->told);
    case 'k': return feed_confirm(record, scene->told, scene->told_count, (uint32_t)n[0], (uint32_t)n[1]);
    case 'M': /* a portion: what the mechanism is like, grams, when it begins */
        scene->mechanism = (struct motor_settings){(uint32_t)n[0], (uint16_t)n[1], (uint16_t)n[2], (uint16_t)n[3],
                                                   (uint16_t)n[4], (uint8_t)n[5],  (uint16_t)n[6], (uint32_t)n[7]};
        motor_start(&scene->motor, (uint32_t)n[8], (uint32_t)n[9]);
        return scene->motor.direction;
    case 'R': return look(scene, n);
    case 'f': return is_flip_taken(scene, (uint32_t)n[0]);
    default: return -2;
    }
}

int main(void)
{
    static struct scene scene;
    static char line[4096];
    while (fgets(line, sizeof line, stdin) != NULL) {
        long n[160] = {0};
        unsigned count = 0;
        char *at = line + 1;
        for (int used = 0; count < 160 && sscanf(at, "%ld%n", &n[count], &used) == 1; at += used) count++;
        struct step step;
        memset(&step, 0, sizeof step);
        step.result = obey(&scene, line[0], n, count);
        feed_seal(&scene.record);
        step.grams_of_day = feed_grams_of_day(&scene.record, scene.now);
        memcpy(step.told, scene.told, scene.told_count * sizeof scene.told[0]);
        step.record = scene.record;
        fwrite(&step, sizeof step, 1, stdout);
    }
    return 0;
}
