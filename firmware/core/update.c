#include "update.h"

#include <string.h>

/** The power may go between the choice and the start, which looks like an image that did not come up: so each gets a second start. */
enum { BOOTS_MAX = 2, SHIFT_MAX = 4 };

bool update_hear(struct update *update, const struct release *release, uint32_t running)
{
    if (release->version == running || update->stage == UPDATE_SWITCHED) return false;
    if (update->stage != UPDATE_NONE && memcmp(&update->release, release, sizeof *release) == 0) return false;
    memset(update, 0, sizeof *update);
    update->release = *release;
    update->stage = UPDATE_WANTED;
    return true;
}

bool update_start(struct update *update, uint32_t running)
{
    const bool is_running = update->release.version == running;
    if (update->stage == UPDATE_NONE || (update->stage == UPDATE_SWITCHED) == is_running) return false;
    if (is_running) {
        /* Somebody has flashed it. */
        memset(update, 0, sizeof *update);
        return true;
    }
    if (update->stage != UPDATE_SWITCHED) return false;
    update->stage = update->boots < BOOTS_MAX ? UPDATE_WANTED : UPDATE_FAILED;
    update->problem = PROBLEM_ROLLED_BACK;
    return true;
}

bool update_is_trial(const struct update *update, uint32_t running)
{
    return update->stage == UPDATE_SWITCHED && update->release.version == running;
}

uint32_t update_fail(struct update *update, const struct update_settings *settings, enum firmware_problem problem, bool has_progress)
{
    const uint32_t wait = settings->back_off_s << (update->attempts < SHIFT_MAX ? update->attempts : SHIFT_MAX);
    update->problem = (uint8_t)problem;
    if (!has_progress) update->attempts++;
    update->stage = update->attempts < settings->attempts_max ? UPDATE_WANTED : UPDATE_FAILED;
    /* What is there is not what it should be: all of it anew. */
    if (problem == PROBLEM_DIGEST) update->offset = 0;
    /* One that ran and had no answer: it would be the same again. */
    if (problem == PROBLEM_ROLLED_BACK) update->stage = UPDATE_FAILED;
    return wait;
}

void update_switch(struct update *update)
{
    update->stage = UPDATE_SWITCHED;
    update->boots++;
}

struct firmware_word update_word(const struct update *update, uint32_t running)
{
    const bool is_other = update->stage != UPDATE_NONE && update->release.version != running;
    return (struct firmware_word){running, update->release.version, is_other ? update->problem : (uint8_t)PROBLEM_NONE};
}
