/** What a feeder says to a gateway, and what it takes from its answer. */
#include <string.h>

#include "feeder_parts.h"

enum {
    CLOCK_OFF_MAX = 5,
    /** Values are told in steps, so that noise is no change: millivolts, tenths of a degree, dBm. */
    BATTERY_STEP = 20,
    TEMP_STEP = 5,
    RSSI_STEP = 5,
    TOKEN = 1,
    /** Exchanges in a wake that something new is worth. */
    NEWS_MAX = 4,
};
static const uint8_t PATH[] = {'u'};
/** OSCORE Sender ID of every gateway: contract/src/kid.ts. */
static const uint8_t GATEWAY_KID[] = {'g'};

static void note(const struct feeder *f, enum port_event event, uint32_t number)
{
    f->port->log(f->port->context, event, number);
}

bool feeder_is_due(const struct feeder *f)
{
    const uint32_t uptime = feeder_uptime(f);
    return (int32_t)(uptime - f->sleep.next_check_in_s) >= 0 && (int32_t)(uptime - f->sleep.join_from_s) >= 0;
}

static uint32_t device_number(const struct feeder *f)
{
    const uint8_t *kid = f->settings->kid;
    return (uint32_t)kid[1] << 24 | (uint32_t)kid[2] << 16 | (uint32_t)kid[3] << 8 | kid[4];
}

/** Those that it was told of come first; those that it was flashed with are never dropped (P8). */
static const struct gateway *gateway_at(const struct feeder *f, uint8_t index)
{
    const uint8_t told = f->gateways.count;
    return index < told ? &f->gateways.list[index] : &f->settings->gateways.list[index - told];
}

static uint8_t gateway_count(const struct feeder *f)
{
    return (uint8_t)(f->gateways.count + f->settings->gateways.count);
}

/** Begins at the device's number mod n. */
static void begin_gateways(struct feeder *f)
{
    const uint8_t count = f->gateways.count > 0 ? f->gateways.count : f->settings->gateways.count;
    f->sleep.policy.gateway = (uint8_t)(device_number(f) % count);
    f->sleep.policy.is_started = true;
    f->sleep.context_of = 0;
}

/** The context with a gateway: its id is mixed in, so that two of them never use one nonce (design/wire.md section 2). */
static bool prepare_context(struct feeder *f, uint8_t index)
{
    const struct gateway *gateway = gateway_at(f, index);
    const struct oscore_secrets secrets = {
        .master_secret = {f->settings->secret, FEEDER_SECRET},
        .id_context = {(const uint8_t *)gateway->id, strlen(gateway->id)},
        .sender_id = {f->settings->kid, FEEDER_KID},
        .recipient_id = {GATEWAY_KID, sizeof GATEWAY_KID},
    };
    if (f->sleep.context_of == index + 1) return true;
    f->sleep.context_of = 0;
    if (!oscore_derive(&secrets, f->port->crypto, &f->sleep.context)) return false;
    f->sleep.context_of = (uint8_t)(index + 1);
    return true;
}

/** The next sequence number. It is below a ceiling that is durable before it is used, so none is used twice. */
static bool take_sequence(struct feeder *f)
{
    struct feeder_sleep *sleep = &f->sleep;
    if (sleep->sequence >= sleep->ceiling) {
        const uint32_t ceiling = sleep->sequence + f->settings->sequence_step;
        if (ceiling < sleep->sequence || !f->port->put(f->port->context, STORE_SEQUENCE, &ceiling, sizeof ceiling)) {
            note(f, LOG_STORE_FAILED, STORE_SEQUENCE);
            return false;
        }
        sleep->ceiling = ceiling;
    }
    f->request.sequence = sleep->sequence++;
    f->request.message_id = (uint16_t)f->request.sequence;
    f->request.token[0] = (uint8_t)f->request.sequence;
    f->request.token_length = TOKEN;
    return true;
}

static int32_t in_steps(int32_t value, int32_t step)
{
    return (value + (value < 0 ? -step : step) / 2) / step * step;
}

static void put_state(struct feeder_state *state, unsigned field, uint32_t value)
{
    state->fields[field] = (int32_t)value;
    state->has |= (uint16_t)(1u << field);
}

static void fill_state(struct feeder *f, struct feeder_state *state)
{
    const struct port_senses *senses = &f->senses;
    const uint32_t now = feeder_now(f);
    memset(state, 0, sizeof *state);
    put_state(state, STATE_HOPPER_PCT, senses->hopper_pct);
    put_state(state, STATE_BATTERY_MV, (uint32_t)in_steps(senses->battery_mv, BATTERY_STEP));
    put_state(state, STATE_TEMP_TENTHS, (uint32_t)in_steps(senses->temp_tenths, TEMP_STEP));
    put_state(state, STATE_RSSI_DBM, (uint32_t)in_steps(senses->rssi_dbm, RSSI_STEP));
    if (now != 0) put_state(state, STATE_FED_G_TODAY, feed_grams_of_day(&f->record, now));
    f->state_crc = feed_crc(state, sizeof *state);
    if (!f->is_full) return;
    put_state(state, STATE_MOTOR_RUNS, f->record.motor_runs);
    put_state(state, STATE_JAMS, f->record.jams);
    put_state(state, STATE_WAKES, f->sleep.wakes);
    put_state(state, STATE_FW, f->settings->firmware);
    put_state(state, STATE_SCHEDULE_VERSION, f->config.config.version);
}

static void pass(struct feeder *f, uint32_t n, enum refuse_reason reason)
{
    if (f->passing_count == FEEDER_BUSY_MAX) return;
    f->passing[f->passing_count++] = (struct outcome){n, feeder_now(f), 0, OUTCOME_REFUSED, (uint8_t)reason};
}

/**
 * Tells `refused(busy)` of what will not run any more: its time is past, or a later command was decided on. No sooner: a gateway
 * does not hand out again what an outcome has named, and what was said to be refused must not run after all (F6).
 */
static void refuse_turned_away(struct feeder *f)
{
    for (unsigned i = 0; i < FEEDER_BUSY_MAX; i++) {
        const uint32_t n = f->sleep.busy[i].n;
        if (n == 0 || (n > f->record.high_water && feeder_uptime(f) <= f->sleep.busy[i].until_s)) continue;
        f->sleep.busy[i].n = 0;
        pass(f, n, REASON_BUSY);
    }
}

static void turn_away(struct feeder *f, const struct command *command, bool is_busy)
{
    unsigned place = FEEDER_BUSY_MAX;
    for (unsigned i = 0; i < FEEDER_BUSY_MAX; i++) {
        if (f->sleep.busy[i].n == command->n || (place == FEEDER_BUSY_MAX && f->sleep.busy[i].n == 0)) place = i;
        if (f->sleep.busy[i].n == command->n) break;
    }
    if (place == FEEDER_BUSY_MAX) return;
    if (!is_busy && f->sleep.busy[place].n != command->n) return;
    f->sleep.busy[place].n = is_busy ? command->n : 0;
    f->sleep.busy[place].until_s = feeder_uptime(f) + command->ttl_s;
}

static size_t write_uplink(struct feeder *f, uint8_t *body, size_t size)
{
    refuse_turned_away(f);
    f->told_count = feed_tell(&f->record, f->told);
    for (unsigned i = 0; i < f->passing_count && f->told_count < OUTCOMES_TOLD_MAX; i++)
        f->told[f->told_count++] = f->passing[i];
    f->is_clock_told = !f->sleep.has_clock || feeder_uptime(f) - f->sleep.full_s >= f->settings->full_after_s;
    f->is_full = f->is_clock_told || f->told_count > 0;
    struct uplink uplink;
    memset(&uplink, 0, sizeof uplink);
    fill_state(f, &uplink.state);
    uplink.has_state = true;
    uplink.interval_s = f->interval_s;
    uplink.config_version = f->config.config.version;
    uplink.has_config_version = true;
    uplink.is_unchanged = !f->is_full && f->sleep.has_told_state && f->sleep.told_state == f->state_crc;
    uplink.now = feeder_now(f);
    uplink.has_clock = f->is_clock_told;
    uplink.clock = uplink.now;
    uplink.outcomes = f->told;
    uplink.count = f->told_count;
    uplink.wants_no_answer = f->is_beacon;
    uplink.has_firmware = f->port->images != NULL && (f->is_clock_told || f->has_word);
    uplink.firmware = update_word(&f->update, f->settings->firmware);
    return uplink_write(&uplink, body, size);
}

static bool send(struct feeder *f, struct crypto_bytes echo)
{
    const uint8_t index = f->is_beacon && echo.length == 0 ? policy_gateway(&f->sleep.policy, gateway_count(f), false)
                                                           : policy_gateway(&f->sleep.policy, gateway_count(f), true);
    uint8_t body[UPLINK_MAX];
    if (!prepare_context(f, index) || !take_sequence(f)) return false;
    const struct oscore_inner inner = {
        .code = COAP_POST,
        .path = {PATH, sizeof PATH},
        .content_format = COAP_CBOR,
        .echo = echo,
        .payload = {body, write_uplink(f, body, sizeof body)},
    };
    const size_t length = oscore_protect(&f->sleep.context, f->port->crypto, COAP_NON, &f->request, &inner, f->datagram);
    if (length == 0) return false;
    f->port->send(f->port->context, gateway_at(f, index), f->datagram, length);
    f->exchanges++;
    f->has_news = f->has_end = false;
    f->told_stage = f->record.active & OUTCOME_STATE;
    f->sent_ms = f->port->uptime_ms(f->port->context);
    f->window_ms = f->is_beacon ? f->settings->policy.linger_ms : policy_window_ms(&f->sleep.policy, &f->settings->policy);
    f->is_awaiting = true;
    return true;
}

static bool is_urgent(const struct feeder *f)
{
    return f->sleep.is_urgent || f->passing_count > 0 || feed_has_news(&f->record);
}

bool feeder_say(struct feeder *f)
{
    struct feeder_sleep *sleep = &f->sleep;
    const uint32_t uptime = feeder_uptime(f);
    const struct policy_inputs inputs = {uptime, feeder_battery_pct(f), is_urgent(f)};
    const bool asks = policy_asks(&sleep->policy, &f->settings->policy, &inputs);
    const bool is_due = feeder_is_due(f);
    f->has_news = f->has_end = false;
    if (!sleep->policy.is_started) begin_gateways(f);
    /* What nobody would answer now is said with the next check-in. */
    if (!asks && !is_due) return false;
    if ((int32_t)(uptime - sleep->join_from_s) < 0) return false;
    f->interval_s = policy_interval_s(&f->settings->policy, f->config.config.interval_s, inputs.battery_pct);
    const uint32_t random = f->port->random(f->port->context);
    sleep->next_check_in_s = uptime + (policy_sleep_ms(f->interval_s, random) + 500) / 1000;
    if (!f->port->join(f->port->context, policy_may_scan(&sleep->policy))) {
        sleep->join_from_s = uptime + policy_unreachable(&sleep->policy, &f->settings->policy, f->interval_s);
        f->is_deaf = true;
        note(f, LOG_UNREACHABLE, sleep->policy.associations_failed);
        return false;
    }
    f->is_beacon = !asks;
    if (send(f, (struct crypto_bytes){NULL, 0})) return true;
    f->is_deaf = true;
    return false;
}

void feeder_give_up(struct feeder *f)
{
    f->is_awaiting = false;
    if (f->is_beacon) return;
    f->is_deaf = true;
    f->sleep.has_told_state = false;
    policy_failed(&f->sleep.policy, &f->settings->policy, f->interval_s, is_urgent(f), feeder_uptime(f),
                  f->port->random(f->port->context));
    note(f, LOG_UNANSWERED, f->sleep.policy.failures);
}

/** Takes another configuration. Meals that lie before this minute are none of its schedule. */
static void configure(struct feeder *f)
{
    struct feeder_config *next = &f->new_config;
    const uint32_t now = feeder_now(f);
    uint32_t change;
    if (next->config.version == f->config.config.version) return;
    next->after = now == 0 ? 0 : local_minute(&next->config.schedule.rule, now, &change) - 1;
    next->crc = feed_crc(next, offsetof(struct feeder_config, crc));
    if (!f->port->put(f->port->context, STORE_CONFIG, next, sizeof *next)) {
        note(f, LOG_STORE_FAILED, STORE_CONFIG);
        return;
    }
    f->config = *next;
    f->sleep.is_urgent = f->has_news = true;
    note(f, LOG_CONFIGURED, next->config.version);
}

static void learn_gateways(struct feeder *f)
{
    const struct gateways *next = &f->new_gateways;
    if (next->count == 0 || (f->gateways.count > 0 && next->version <= f->gateways.version)) return;
    if (!f->port->put(f->port->context, STORE_GATEWAYS, next, sizeof *next)) return;
    f->gateways = *next;
    begin_gateways(f);
}

/** Does what a verified answer says. */
static void act(struct feeder *f, const struct downlink *downlink)
{
    const uint32_t now = feeder_now(f);
    uint8_t left = 0;
    bool is_news = false;
    /* First: without a clock no command is taken (F8). */
    if (downlink->time != 0 && (downlink->time > now + CLOCK_OFF_MAX || now > downlink->time + CLOCK_OFF_MAX)) {
        f->sleep.clock_offset = downlink->time - feeder_uptime(f);
        f->sleep.has_clock = true;
    }
    for (uint8_t i = 0; i < f->passing_count; i++)
        if (f->passing[i].id > downlink->acked_upto) f->passing[left++] = f->passing[i];
    f->passing_count = left;
    if (feed_confirm(&f->next, f->told, f->told_count, downlink->acked_upto, downlink->acked_meal) && !feeder_commit(f)) return;
    if (downlink->has_config) configure(f);
    if (downlink->has_gateways) learn_gateways(f);
    if (downlink->has_release) feeder_offer(f, &f->new_release);
    for (unsigned i = 0; i < downlink->count; i++) {
        const struct circumstances at = feeder_circumstances(f);
        const struct command *command = &downlink->commands[i];
        const enum feed_decision decision = feed_decide(&f->next, command, &at);
        /* What is not durable is not decided: the command comes again. */
        if (!feeder_commit(f)) return;
        if (decision == FEED_STALE) pass(f, command->n, REASON_STALE);
        turn_away(f, command, decision == FEED_BUSY);
        is_news |= decision != FEED_BUSY;
    }
    /* While it is busy the same commands would come again and again. */
    is_news |= downlink->has_more && f->record.active == 0;
    /* Meals that found no room in this report follow at once, while answers come. */
    is_news |= downlink->acked_meal > 0 && feed_has_news(&f->record);
    if (is_news && f->exchanges < NEWS_MAX) f->has_news = true;
}

/** A verified answer that says no: the gateway is there, and does not do what was asked. */
static void refused(struct feeder *f, const struct oscore_response *response)
{
    struct coap_span echo;
    if (response->code == COAP_UNAUTHORIZED && !f->has_echoed && coap_option(response->options, COAP_ECHO, &echo) &&
        echo.length <= 40) {
        /* The gateway has lost what it knew of us: the same again, to prove that it is fresh (RFC 8613 Appendix B.1.2). */
        f->has_echoed = true;
        if (send(f, (struct crypto_bytes){echo.data, echo.length})) return;
    }
    note(f, LOG_REFUSED, response->code);
    feeder_give_up(f);
}

void feeder_hear(struct feeder *f, uint8_t *datagram, size_t length)
{
    struct coap_message message;
    struct oscore_response response;
    struct downlink downlink;
    /* Only a verified answer means anything: anybody can send another. It is counted, and the window runs on. */
    if (!f->is_awaiting || !coap_read(datagram, length, &message) ||
        !oscore_verify(&f->sleep.context, f->port->crypto, &f->request, &message, &response)) {
        note(f, LOG_IGNORED, ++f->sleep.ignored);
        return;
    }
    f->is_awaiting = false;
    if (response.code != COAP_CHANGED) {
        refused(f, &response);
        return;
    }
    if (!downlink_read(response.payload.data, response.payload.length, &downlink, &f->new_config.config, &f->new_gateways,
                       &f->new_release)) {
        note(f, LOG_MALFORMED, (uint32_t)response.payload.length);
        feeder_give_up(f);
        return;
    }
    const uint32_t uptime = feeder_uptime(f);
    const uint32_t rtt = f->port->uptime_ms(f->port->context) - f->sent_ms;
    policy_answered(&f->sleep.policy, uptime, (uint16_t)(rtt > UINT16_MAX ? UINT16_MAX : rtt));
    note(f, LOG_ANSWERED, rtt);
    f->sleep.is_urgent = f->has_word = false;
    f->sleep.has_told_state = true;
    f->sleep.told_state = f->state_crc;
    if (f->is_clock_told) f->sleep.full_s = uptime;
    feeder_keep(f);
    act(f, &downlink);
}
