/** Drives another firmware into the other slot, verifies it, boots it, and keeps or reverts it (update.h has the rules). */
#include <stddef.h>
#include <string.h>

#include "feeder_parts.h"

/** Blocks in one step: what else there is to do must not wait long. */
enum { BLOCKS_AT_ONCE = 16 };

static void note(const struct feeder *f, enum port_event event, uint32_t number)
{
    f->port->log(f->port->context, event, number);
}

static uint32_t millis(const struct feeder *f)
{
    return f->port->uptime_ms(f->port->context);
}

static bool commit(struct feeder *f)
{
    f->update.crc = feed_crc(&f->update, offsetof(struct update, crc));
    if (f->port->put(f->port->context, STORE_UPDATE, &f->update, sizeof f->update)) return true;
    note(f, LOG_STORE_FAILED, STORE_UPDATE);
    return false;
}

void feeder_load_update(struct feeder *f)
{
    struct update *update = &f->update;
    const int length = f->port->get(f->port->context, STORE_UPDATE, update, sizeof *update);
    if (length != (int)sizeof *update || update->crc != feed_crc(update, offsetof(struct update, crc)))
        memset(update, 0, sizeof *update);
    if (update_start(update, f->settings->firmware)) commit(f);
}

/** Nothing is being worked on, and nothing is due soon. */
static bool is_clear(const struct feeder *f)
{
    const uint32_t now = feeder_now(f);
    const uint32_t clear = f->settings->update.clear_s;
    return now != 0 && f->record.active == 0 && schedule_wait(&f->config.config.schedule, now, clear) >= clear;
}

void feeder_offer(struct feeder *f, const struct release *release)
{
    struct update *update = &f->update;
    if (f->port->images == NULL || f->is_fetching) return;
    if (update_hear(update, release, f->settings->firmware) && !commit(f)) {
        update->stage = UPDATE_NONE;
        return;
    }
    /* What cannot be begun now is offered again: a release that is withdrawn meanwhile is not begun later. */
    if (update->stage != UPDATE_WANTED || (int32_t)(feeder_uptime(f) - f->sleep.update_from_s) < 0 || !is_clear(f) ||
        feeder_battery_pct(f) < f->settings->update.battery_min_pct)
        return;
    f->is_fetching = true;
    f->fetch_from = f->fetch_offset = update->offset;
    f->fetch_began_ms = f->fetch_heard_ms = millis(f);
    f->block_length = 0;
    note(f, LOG_FETCHING, update->offset);
    if (update->offset < update->release.size) f->port->images->fetch(f->port->context, update->release.url, update->offset);
}

/** Ends the download; what has become of it is told in this wake. */
static void stop(struct feeder *f, enum firmware_problem problem)
{
    f->is_fetching = false;
    f->port->images->fetch(f->port->context, NULL, 0);
    /* Its time is not the check-ins'. */
    f->woken_ms = millis(f);
    f->exchanges = 0;
    if (problem == PROBLEM_NONE) return;
    const bool has_progress = problem == PROBLEM_UNREACHABLE && f->update.offset > f->fetch_from;
    const uint32_t wait = update_fail(&f->update, &f->settings->update, problem, has_progress);
    f->sleep.update_from_s = feeder_uptime(f) + wait;
    commit(f);
    note(f, LOG_FETCH_FAILED, problem);
    f->has_word = f->has_news = true;
}

/** All of it is there: is it what it should be? Then it boots, on trial. */
static void finish(struct feeder *f)
{
    const struct port_images *images = f->port->images;
    const struct release *release = &f->update.release;
    uint8_t digest[RELEASE_DIGEST];
    if (!images->digest(f->port->context, release->size, digest)) {
        stop(f, PROBLEM_STORAGE);
        return;
    }
    if (memcmp(digest, release->digest, sizeof digest) != 0) {
        stop(f, PROBLEM_DIGEST);
        return;
    }
    stop(f, PROBLEM_NONE);
    if (!is_clear(f)) return;
    /* Durable before it boots: an image that never comes up must not be chosen for ever. */
    update_switch(&f->update);
    if (commit(f)) {
        note(f, LOG_SWITCHING, release->version);
        f->is_over = images->choose(f->port->context, IMAGE_TRY);
    }
    if (!f->is_over) stop(f, PROBLEM_STORAGE);
}

/** A full block, or the last one, into the slot. False: it cannot be. */
static bool put_block(struct feeder *f)
{
    struct update *update = &f->update;
    if (!f->port->images->write(f->port->context, f->fetch_offset, f->block, f->block_length)) return false;
    f->fetch_offset += f->block_length;
    f->block_length = 0;
    if (f->fetch_offset % f->settings->update.step != 0 && f->fetch_offset < update->release.size) return true;
    update->offset = f->fetch_offset;
    return commit(f);
}

void feeder_fetch(struct feeder *f)
{
    const struct update_settings *settings = &f->settings->update;
    const uint32_t size = f->update.release.size;
    /* A portion goes first; what comes meanwhile waits in the network. */
    if (f->record.active != 0) {
        f->fetch_heard_ms = millis(f);
        return;
    }
    for (unsigned i = 0; i < BLOCKS_AT_ONCE && f->fetch_offset < size; i++) {
        const uint32_t left = size - f->fetch_offset;
        const uint32_t whole = left < FEEDER_BLOCK ? left : FEEDER_BLOCK;
        const int length = f->port->images->fetched(f->port->context, f->block + f->block_length, whole - f->block_length);
        const uint32_t now = millis(f);
        if (length > 0) f->fetch_heard_ms = now;
        if (length < 0 || now - f->fetch_heard_ms >= settings->stalled_ms || now - f->fetch_began_ms >= settings->fetch_max_ms) {
            stop(f, PROBLEM_UNREACHABLE);
            return;
        }
        if (length == 0) return;
        f->block_length = (uint16_t)(f->block_length + length);
        if (f->block_length == whole && !put_block(f)) {
            stop(f, PROBLEM_STORAGE);
            return;
        }
    }
    if (f->fetch_offset == size) finish(f);
}

void feeder_keep(struct feeder *f)
{
    if (f->port->images == NULL || f->is_kept) return;
    f->is_kept = f->port->images->choose(f->port->context, IMAGE_KEEP);
    if (!f->is_kept || !update_is_trial(&f->update, f->settings->firmware)) return;
    note(f, LOG_KEPT, f->settings->firmware);
    memset(&f->update, 0, sizeof f->update);
    commit(f);
}

uint32_t feeder_trial_left_s(const struct feeder *f)
{
    const uint32_t passed = feeder_uptime(f) - f->sleep.started_s;
    const uint32_t trial = f->settings->update.trial_s;
    if (!update_is_trial(&f->update, f->settings->firmware)) return UINT32_MAX;
    return passed < trial ? trial - passed : 0;
}

void feeder_revert(struct feeder *f)
{
    note(f, LOG_REVERTED, f->settings->firmware);
    update_fail(&f->update, &f->settings->update, PROBLEM_ROLLED_BACK, false);
    commit(f);
    f->is_over = f->port->images->choose(f->port->context, IMAGE_REVERT);
}
