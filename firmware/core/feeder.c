#include <string.h>

#include "feeder_parts.h"

enum { STORE_AGAIN_MS = 1000, GAP_AGAIN_MS = 15000, SLEEP_MIN_MS = 50, EXCHANGES_MAX = 8, LOW_PCT = 20, RECOVERED_PCT = 25, FETCH_TICK_MS = 10 };
/** Longest sleep: a millisecond count that fits 31 bits, with room. */
enum { SLEEP_MAX_S = 2000000 };

uint32_t feeder_uptime(const struct feeder *f)
{
    return f->port->uptime_s(f->port->context);
}

static uint32_t millis(const struct feeder *f)
{
    return f->port->uptime_ms(f->port->context);
}

uint32_t feeder_now(const struct feeder *f)
{
    return f->sleep.has_clock ? feeder_uptime(f) + f->sleep.clock_offset : 0;
}

uint8_t feeder_battery_pct(const struct feeder *f)
{
    return policy_battery_pct(&f->settings->policy, f->senses.battery_mv);
}

struct circumstances feeder_circumstances(const struct feeder *f)
{
    return (struct circumstances){feeder_now(f), f->senses.battery_mv, &f->settings->maxima, &f->config.config.limits};
}

static void note(const struct feeder *f, enum port_event event, uint32_t number)
{
    f->port->log(f->port->context, event, number);
}

bool feeder_commit(struct feeder *f)
{
    feed_seal(&f->next);
    if (f->next.crc == f->record.crc && memcmp(&f->next, &f->record, sizeof f->record) == 0) return true;
    if (!f->port->put(f->port->context, STORE_RECORD, &f->next, sizeof f->next)) {
        note(f, LOG_STORE_FAILED, STORE_RECORD);
        f->next = f->record;
        f->is_store_bad = true;
        return false;
    }
    if (f->record.active == 0 && f->next.active != 0)
        f->sleep.deadline_s = feeder_uptime(f) + f->next.active_not_after - f->next.active_at;
    f->record = f->next;
    return true;
}

static void load_record(struct feeder *f)
{
    const int length = f->port->get(f->port->context, STORE_RECORD, &f->record, sizeof f->record);
    if (length >= 0 && feed_is_sound(&f->record, (size_t)length)) {
        f->next = f->record;
        return;
    }
    /* What it knew of meals is lost (F7). Only one that has never sent anything has none. */
    feed_new(&f->next);
    feed_new(&f->record);
    if (length == PORT_ABSENT && f->sleep.ceiling == 0) return;
    f->next.is_latched = true;
    note(f, LOG_RECORD_UNREADABLE, 0);
}

static void load_config(struct feeder *f)
{
    struct feeder_config *config = &f->config;
    const int length = f->port->get(f->port->context, STORE_CONFIG, config, sizeof *config);
    if (length == (int)sizeof *config && config->crc == feed_crc(config, offsetof(struct feeder_config, crc))) return;
    /* Version 0: the gateway sends the one that it has. */
    memset(config, 0, sizeof *config);
    memset(&config->config.limits, 0xff, sizeof config->config.limits);
    config->config.calibration = 1000;
}

static void wake_up(struct feeder *f)
{
    f->is_asleep = false;
    f->woken_ms = millis(f);
    f->exchanges = 0;
    f->is_deaf = f->has_news = f->has_end = f->has_echoed = f->is_store_bad = false;
    f->sleep.wakes++;
    f->port->sense(f->port->context, &f->senses);
    const uint8_t battery = feeder_battery_pct(f);
    if (battery < LOW_PCT && !f->sleep.policy.is_low) f->sleep.policy.is_low = f->sleep.is_urgent = true;
    if (battery > RECOVERED_PCT) f->sleep.policy.is_low = false;
}

enum feeder_start feeder_start(struct feeder *f, const struct port *port, const struct feeder_settings *settings)
{
    memset(f, 0, sizeof *f);
    f->port = port;
    f->settings = settings;
    struct feeder_sleep *sleep = &f->sleep;
    const bool is_warm = port->recall(port->context, sleep, sizeof *sleep) && sleep->size == sizeof *sleep &&
                         sleep->crc == feed_crc(sleep, offsetof(struct feeder_sleep, crc));
    if (!is_warm) {
        memset(sleep, 0, sizeof *sleep);
        const int length = port->get(port->context, STORE_SEQUENCE, &sleep->ceiling, sizeof sleep->ceiling);
        if (length != (int)sizeof sleep->ceiling) return length == PORT_FAILED ? FEEDER_STORE_FAILED : FEEDER_NOT_PROVISIONED;
        sleep->sequence = sleep->ceiling;
        sleep->deadline_s = UINT32_MAX;
        sleep->next_check_in_s = sleep->join_from_s = sleep->started_s = sleep->update_from_s = feeder_uptime(f);
        sleep->is_urgent = true;
    }
    load_record(f);
    load_config(f);
    if (port->get(port->context, STORE_GATEWAYS, &f->gateways, sizeof f->gateways) != (int)sizeof f->gateways ||
        f->gateways.count > GATEWAYS_MAX)
        memset(&f->gateways, 0, sizeof f->gateways);
    if (port->images != NULL) feeder_load_update(f);
    feed_wake(&f->next);
    if (!feeder_commit(f)) return FEEDER_STORE_FAILED;
    wake_up(f);
    return FEEDER_STARTED;
}

void feeder_button(struct feeder *f)
{
    f->next.is_latched = false;
    feeder_commit(f);
    f->sleep.is_urgent = true;
    f->sleep.next_check_in_s = f->sleep.join_from_s = f->sleep.policy.ask_from_s = feeder_uptime(f);
    f->is_deaf = false;
}

/** A meal of the schedule whose time has come: taken, or refused. What another portion's gap keeps back waits. */
static void take_meal(struct feeder *f)
{
    struct meal meal;
    const struct circumstances at = feeder_circumstances(f);
    const uint32_t last = f->record.last_occurrence > f->config.after ? f->record.last_occurrence : f->config.after;
    f->is_meal_waiting = false;
    if (f->record.active != 0 || at.now == 0 || f->is_store_bad) return;
    if (!schedule_due(&f->config.config.schedule, last, at.now, &meal)) return;
    f->is_meal_waiting = feed_refusal(&f->record, meal.grams, meal.not_after, &at) == REASON_GAP;
    if (f->is_meal_waiting) return;
    feed_take_meal(&f->next, &meal, &at);
    if (feeder_commit(f)) f->has_news = true;
}

static uint8_t stage(const struct feeder *f)
{
    return f->record.active & OUTCOME_STATE;
}

/** Whether one more exchange is wanted, and bearable, in this wake. */
static bool wants_to_say(const struct feeder *f)
{
    if (f->is_awaiting || f->exchanges >= EXCHANGES_MAX) return false;
    if (f->exchanges > 0 && millis(f) - f->woken_ms >= f->settings->policy.wake_max_ms) return false;
    if (f->is_running && f->exchanges == 0) return false;
    if (f->is_deaf) return f->has_end;
    return f->has_news || (f->exchanges == 0 && feeder_is_due(f));
}

/** Begins what was accepted (F3): told of if somebody commanded it, then durable, then the motor. */
static void begin(struct feeder *f)
{
    const uint32_t now = feeder_now(f);
    if (now == 0 || f->is_store_bad) return;
    f->port->sense(f->port->context, &f->senses);
    feed_begin(&f->next, now, feeder_uptime(f) > f->sleep.deadline_s);
    if (!feeder_commit(f)) return;
    f->has_news = true;
    f->has_end = stage(f) == 0;
    if (f->has_end) return;
    const uint32_t grams = f->record.active_grams * 1000u / f->config.config.calibration;
    motor_start(&f->motor, grams, millis(f));
    f->is_running = true;
    note(f, LOG_MOTOR_ON, f->record.active_grams);
    f->port->motor(f->port->context, MOTOR_FORWARD);
}

static void run(struct feeder *f)
{
    struct motor_reading reading = {0, 0, 0, false};
    const uint8_t direction = f->motor.direction;
    f->port->read_motor(f->port->context, &reading);
    f->ended = motor_tick(&f->motor, &f->settings->motor, &reading, millis(f));
    if (f->motor.direction != direction) f->port->motor(f->port->context, (enum motor_direction)f->motor.direction);
    if (f->ended == 0) return;
    f->is_running = false;
    note(f, LOG_MOTOR_OFF, f->ended);
}

/** Makes the end of a portion durable. False: the store cannot be written now. */
static bool end(struct feeder *f)
{
    uint32_t grams = motor_grams(&f->motor, &f->settings->motor) * f->config.config.calibration / 1000;
    /* Rounding twice must not make a portion short of a gram that came. */
    if (f->ended == OUTCOME_DONE || grams > f->record.active_grams) grams = f->record.active_grams;
    feed_finish(&f->next, (enum outcome_state)f->ended, (uint16_t)grams, feeder_now(f));
    if (!feeder_commit(f)) return false;
    f->ended = 0;
    f->has_news = f->has_end = true;
    f->is_store_bad = false;
    /* The motor's time is not the radio's. */
    f->woken_ms = millis(f);
    f->exchanges = 0;
    return true;
}

static struct feeder_wait sleep_until_next(struct feeder *f)
{
    struct feeder_sleep *sleep = &f->sleep;
    const uint32_t uptime = feeder_uptime(f);
    const uint32_t now = feeder_now(f);
    uint32_t next = sleep->next_check_in_s;
    if ((int32_t)(sleep->join_from_s - next) > 0) next = sleep->join_from_s;
    uint32_t wait = (int32_t)(next - uptime) > 0 ? next - uptime : 0;
    if (wait > SLEEP_MAX_S) wait = SLEEP_MAX_S;
    if (now != 0) wait = schedule_wait(&f->config.config.schedule, now, wait);
    uint32_t ms = wait * 1000;
    if (ms > GAP_AGAIN_MS && f->is_meal_waiting) ms = GAP_AGAIN_MS;
    const uint32_t trial = feeder_trial_left_s(f);
    if (trial < ms / 1000) ms = trial * 1000;
    if (ms < SLEEP_MIN_MS) ms = f->is_store_bad ? STORE_AGAIN_MS : SLEEP_MIN_MS;
    f->is_asleep = true;
    sleep->size = sizeof *sleep;
    sleep->crc = feed_crc(sleep, offsetof(struct feeder_sleep, crc));
    f->port->retain(f->port->context, sleep, sizeof *sleep);
    return (struct feeder_wait){ms, false};
}

struct feeder_wait feeder_step(struct feeder *f, uint8_t *datagram, size_t length)
{
    if (f->is_over) return (struct feeder_wait){STORE_AGAIN_MS, false};
    if (f->is_asleep) wake_up(f);
    if (length > 0) feeder_hear(f, datagram, length);
    if (f->is_awaiting && millis(f) - f->sent_ms >= f->window_ms) feeder_give_up(f);
    if (f->is_running) run(f);
    if (f->ended != 0 && !end(f)) return (struct feeder_wait){STORE_AGAIN_MS, true};
    if (!f->is_running && !f->is_awaiting) {
        take_meal(f);
        /* A command is reported before it runs; a meal runs first, and needs no network (F1). */
        const bool is_told = (f->record.active & OUTCOME_IS_MEAL) != 0 || f->told_stage == OUTCOME_ACCEPTED || f->is_deaf;
        if (stage(f) == OUTCOME_ACCEPTED && (is_told || !feeder_say(f))) begin(f);
    }
    if (feeder_trial_left_s(f) == 0 && f->record.active == 0 && !f->is_awaiting) feeder_revert(f);
    if (f->is_fetching) feeder_fetch(f);
    if (f->is_over) return (struct feeder_wait){0, false};
    if (wants_to_say(f)) feeder_say(f);
    uint32_t ms = f->is_running ? MOTOR_TICK_MS : f->is_fetching ? FETCH_TICK_MS : UINT32_MAX;
    if (f->is_awaiting) {
        const uint32_t waited = millis(f) - f->sent_ms;
        const uint32_t left = waited < f->window_ms ? f->window_ms - waited : 0;
        if (left < ms) ms = left;
    }
    if (ms != UINT32_MAX) return (struct feeder_wait){ms, true};
    return sleep_until_next(f);
}
