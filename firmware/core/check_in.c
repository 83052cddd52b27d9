#include "check_in.h"

#include <string.h>

#include "cbor.h"

/** Keys of the contract. */
enum { UP_STATE, UP_AGE, UP_INTERVAL, UP_CONFIG_VERSION, UP_CHANGED, UP_CLOCK, UP_OUTCOMES, UP_NO_REPLY, UP_FIRMWARE };
enum { WORD_VERSION, WORD_TRIED, WORD_PROBLEM };
enum { TOLD_N, TOLD_STATE, TOLD_GRAMS, TOLD_REASON, TOLD_AGE, TOLD_OCCURRENCE };
enum { DOWN_TIME, DOWN_COMMANDS, DOWN_MORE, DOWN_ACKED, DOWN_CONFIG, DOWN_GATEWAYS, DOWN_ACKED_MEAL, DOWN_FIRMWARE, DOWN_KEYS };
enum { RELEASE_VERSION, RELEASE_SIZE, RELEASE_SHA256, RELEASE_URL, RELEASE_KEYS };
enum { COMMAND_N, COMMAND_KIND, COMMAND_GRAMS, COMMAND_TTL, COMMAND_KEYS };
enum { CONFIG_VERSION, CONFIG_INTERVAL, CONFIG_ZONE, CONFIG_SCHEDULE, CONFIG_LIMITS, CONFIG_CALIBRATION, CONFIG_RULE, CONFIG_KEYS };
enum { LIMIT_KEYS = 3, KIND_FEED = 1, GRAMS_MAX = 0xffff, SECONDS_MAX = 0x7fffffff, ENTRIES_MAX = 64, RELEASE_SIZE_MAX = 1 << 24 };
enum { CALIBRATION_MIN = 250, CALIBRATION_ONE = 1000, CALIBRATION_MAX = 4000 };
/** Offsets from UTC reach 14 hours, times of changes a week (POSIX: 167 hours). */
enum { OFFSET_MAX = 15 * 60, CHANGE_MINUTE_MAX = 168 * 60 };

static void write_state(struct cbor_writer *out, const struct feeder_state *state)
{
    uint32_t count = 0;
    for (unsigned i = 0; i < STATE_FIELDS; i++) count += state->has >> i & 1u;
    cbor_head(out, CBOR_UINT, UP_STATE);
    cbor_head(out, CBOR_MAP, count);
    for (unsigned i = 0; i < STATE_FIELDS; i++) {
        if ((state->has >> i & 1) == 0) continue;
        cbor_head(out, CBOR_UINT, i);
        cbor_int(out, state->fields[i]);
    }
}

static void write_outcome(struct cbor_writer *out, const struct outcome *outcome, uint32_t now)
{
    const bool is_meal = (outcome->state & OUTCOME_IS_MEAL) != 0;
    const bool has_grams = (outcome->state & OUTCOME_HAS_GRAMS) != 0;
    const bool has_reason = outcome->reason != REASON_NONE;
    const bool has_age = outcome->at != 0 && now > outcome->at;
    cbor_head(out, CBOR_MAP, 2u + has_grams + has_reason + has_age);
    if (!is_meal) cbor_pair(out, TOLD_N, outcome->id);
    cbor_pair(out, TOLD_STATE, outcome->state & OUTCOME_STATE);
    if (has_grams) cbor_pair(out, TOLD_GRAMS, outcome->grams);
    if (has_reason) cbor_pair(out, TOLD_REASON, outcome->reason);
    if (has_age) cbor_pair(out, TOLD_AGE, now - outcome->at);
    if (is_meal) cbor_pair(out, TOLD_OCCURRENCE, outcome->id);
}

static void write_flag(struct cbor_writer *out, uint32_t key, bool value)
{
    cbor_head(out, CBOR_UINT, key);
    cbor_head(out, CBOR_SIMPLE, value ? CBOR_TRUE : CBOR_FALSE);
}

static void write_firmware(struct cbor_writer *out, const struct firmware_word *word)
{
    const bool has_problem = word->problem != PROBLEM_NONE;
    cbor_head(out, CBOR_UINT, UP_FIRMWARE);
    cbor_head(out, CBOR_MAP, has_problem ? 3 : 1);
    cbor_pair(out, WORD_VERSION, word->version);
    if (!has_problem) return;
    cbor_pair(out, WORD_TRIED, word->tried);
    cbor_pair(out, WORD_PROBLEM, word->problem);
}

size_t uplink_write(const struct uplink *uplink, uint8_t *data, size_t size)
{
    struct cbor_writer writer = {data, size, 0, false};
    struct cbor_writer *out = &writer;
    cbor_head(out, CBOR_MAP,
              (uint32_t)uplink->has_state + uplink->has_age + (uplink->interval_s > 0) + uplink->has_config_version +
                  uplink->is_unchanged + uplink->has_clock + (uplink->count > 0) + uplink->wants_no_answer +
                  uplink->has_firmware);
    if (uplink->has_state) write_state(out, &uplink->state);
    if (uplink->has_age) cbor_pair(out, UP_AGE, uplink->age_s);
    if (uplink->interval_s > 0) cbor_pair(out, UP_INTERVAL, uplink->interval_s);
    if (uplink->has_config_version) cbor_pair(out, UP_CONFIG_VERSION, uplink->config_version);
    if (uplink->is_unchanged) write_flag(out, UP_CHANGED, false);
    if (uplink->has_clock) cbor_pair(out, UP_CLOCK, uplink->clock);
    if (uplink->count > 0) {
        cbor_head(out, CBOR_UINT, UP_OUTCOMES);
        cbor_head(out, CBOR_ARRAY, uplink->count);
        for (unsigned i = 0; i < uplink->count; i++) write_outcome(out, &uplink->outcomes[i], uplink->now);
    }
    if (uplink->wants_no_answer) write_flag(out, UP_NO_REPLY, true);
    if (uplink->has_firmware) write_firmware(out, &uplink->firmware);
    return out->is_full ? 0 : out->length;
}

/** A number of a command, or an occurrence: 0 is none. */
static uint32_t read_id(struct cbor_reader *in)
{
    const uint32_t id = cbor_uint(in, UINT32_MAX);
    if (id == 0) in->is_bad = true;
    return id;
}

/**
 * A map whose values are all unsigned: each at its key, none above its maximum.
 * @return which keys were there (bit = key)
 */
static unsigned read_numbers(struct cbor_reader *in, const uint32_t *maxima, uint32_t count, uint32_t *values)
{
    uint32_t left = cbor_open(in, CBOR_MAP, ENTRIES_MAX);
    unsigned seen = 0;
    int key;
    while ((key = cbor_key(in, &left, count)) >= 0) {
        seen |= 1u << key;
        values[key] = cbor_uint(in, maxima[key]);
    }
    return seen;
}

static void read_command(struct cbor_reader *in, struct command *command)
{
    static const uint32_t maxima[COMMAND_KEYS] = {UINT32_MAX, KIND_FEED, GRAMS_MAX, SECONDS_MAX};
    uint32_t values[COMMAND_KEYS] = {0};
    const unsigned seen = read_numbers(in, maxima, COMMAND_KEYS, values);
    if (seen != (1u << COMMAND_KEYS) - 1 || values[COMMAND_N] == 0 || values[COMMAND_KIND] != KIND_FEED) in->is_bad = true;
    *command = (struct command){values[COMMAND_N], (uint16_t)values[COMMAND_GRAMS], values[COMMAND_TTL]};
}

static void read_schedule(struct cbor_reader *in, struct schedule *schedule)
{
    const uint32_t count = cbor_open(in, CBOR_ARRAY, SCHEDULE_SLOTS_MAX);
    for (uint32_t i = 0; i < count; i++) {
        struct schedule_slot *slot = &schedule->slots[i];
        if (cbor_open(in, CBOR_ARRAY, 3) != 3) in->is_bad = true;
        slot->minute = (uint16_t)cbor_uint(in, MINUTES_OF_DAY - 1);
        slot->grams = (uint16_t)cbor_uint(in, GRAMS_MAX);
        slot->days = (uint8_t)cbor_uint(in, 127);
        if (slot->days == 0) in->is_bad = true;
    }
    schedule->count = (uint8_t)count;
}

/** One number: the offset. Ten: standard, daylight, and for its begin and its end month, week, day, minute. */
static void read_rule(struct cbor_reader *in, struct zone_rule *rule)
{
    const uint32_t count = cbor_open(in, CBOR_ARRAY, 10);
    rule->standard = rule->daylight = (int16_t)cbor_signed(in, OFFSET_MAX);
    if (count == 1) return;
    if (count != 10) in->is_bad = true;
    rule->daylight = (int16_t)cbor_signed(in, OFFSET_MAX);
    for (unsigned i = 0; i < 2; i++) {
        struct zone_change *change = i == 0 ? &rule->begins : &rule->ends;
        change->month = (uint8_t)cbor_uint(in, 12);
        change->week = (uint8_t)cbor_uint(in, 5);
        change->day = (uint8_t)cbor_uint(in, 6);
        change->minute = (int16_t)cbor_signed(in, CHANGE_MINUTE_MAX);
        if (change->month == 0 || change->week == 0) in->is_bad = true;
    }
}

static void read_config(struct cbor_reader *in, struct config *config)
{
    static const uint32_t limits[LIMIT_KEYS] = {GRAMS_MAX, UINT32_MAX, SECONDS_MAX};
    uint32_t left = cbor_open(in, CBOR_MAP, ENTRIES_MAX);
    bool has_version = false;
    int key;
    memset(config, 0, sizeof *config);
    memset(&config->limits, 0xff, sizeof config->limits);
    config->calibration = CALIBRATION_ONE;
    while ((key = cbor_key(in, &left, CONFIG_KEYS)) >= 0) {
        if (key == CONFIG_VERSION) {
            config->version = cbor_uint(in, UINT32_MAX);
            has_version = true;
        }
        if (key == CONFIG_INTERVAL && (config->interval_s = cbor_uint(in, SECONDS_MAX)) == 0) in->is_bad = true;
        /* For people; the rule is what counts. */
        if (key == CONFIG_ZONE) cbor_skip(in);
        if (key == CONFIG_SCHEDULE) read_schedule(in, &config->schedule);
        if (key == CONFIG_LIMITS) read_numbers(in, limits, LIMIT_KEYS, &config->limits.portion);
        if (key == CONFIG_CALIBRATION) {
            config->calibration = (uint16_t)cbor_uint(in, CALIBRATION_MAX);
            if (config->calibration < CALIBRATION_MIN) in->is_bad = true;
        }
        if (key == CONFIG_RULE) read_rule(in, &config->schedule.rule);
    }
    if (!has_version) in->is_bad = true;
}

/** `id=host:port`. False: malformed. `is_kept` is false for a host that is too long for us. */
static bool read_gateway(const uint8_t *text, uint32_t length, struct gateway *gateway, bool *is_kept)
{
    uint32_t equals = 0;
    uint32_t colon = length;
    uint32_t port = 0;
    while (equals < length && text[equals] != '=') equals++;
    while (colon > equals && text[colon - 1] != ':') colon--;
    /* Now `colon` is behind the last colon; an id, a host and a port must be there. */
    if (equals == 0 || equals > GATEWAY_ID_MAX || colon <= equals + 2 || colon == length || length - colon > 5) return false;
    for (uint32_t i = colon; i < length; i++) {
        if (text[i] < '0' || text[i] > '9') return false;
        port = port * 10 + (text[i] - '0');
    }
    if (port == 0 || port > UINT16_MAX) return false;
    const uint32_t host = colon - 1 - (equals + 1);
    *is_kept = host <= GATEWAY_HOST_MAX;
    if (!*is_kept) return true;
    memcpy(gateway->id, text, equals);
    memcpy(gateway->host, text + equals + 1, host);
    gateway->port = (uint16_t)port;
    return true;
}

static void read_gateways(struct cbor_reader *in, struct gateways *gateways)
{
    uint32_t left = cbor_open(in, CBOR_MAP, ENTRIES_MAX);
    unsigned seen = 0;
    int key;
    memset(gateways, 0, sizeof *gateways);
    while ((key = cbor_key(in, &left, 2)) >= 0) {
        seen |= 1u << key;
        if (key == 0) gateways->version = cbor_uint(in, UINT32_MAX);
        if (key == 1) {
            const uint32_t count = cbor_open(in, CBOR_ARRAY, GATEWAYS_MAX);
            for (uint32_t i = 0; i < count; i++) {
                uint32_t length;
                bool is_kept = false;
                const uint8_t *text = cbor_string_at(in, CBOR_TEXT, &length);
                if (!read_gateway(text, length, &gateways->list[gateways->count], &is_kept)) in->is_bad = true;
                gateways->count = (uint8_t)(gateways->count + is_kept);
            }
        }
    }
    if (seen != 3) in->is_bad = true;
}

/** A string of at most `max` bytes, into `out`. @return its length */
static uint32_t read_string(struct cbor_reader *in, enum cbor_type type, void *out, uint32_t max)
{
    uint32_t length;
    const uint8_t *data = cbor_string_at(in, type, &length);
    if (length > max) in->is_bad = true;
    if (!in->is_bad) memcpy(out, data, length);
    return in->is_bad ? 0 : length;
}

static void read_release(struct cbor_reader *in, struct release *release)
{
    uint32_t left = cbor_open(in, CBOR_MAP, ENTRIES_MAX);
    uint32_t digest = 0;
    int key;
    memset(release, 0, sizeof *release);
    while ((key = cbor_key(in, &left, RELEASE_KEYS)) >= 0) {
        if (key == RELEASE_VERSION) release->version = cbor_uint(in, UINT32_MAX);
        if (key == RELEASE_SIZE) release->size = cbor_uint(in, RELEASE_SIZE_MAX);
        if (key == RELEASE_SHA256) digest = read_string(in, CBOR_BYTES, release->digest, RELEASE_DIGEST);
        if (key == RELEASE_URL) read_string(in, CBOR_TEXT, release->url, RELEASE_URL_MAX);
    }
    if (release->version == 0 || release->size == 0 || digest != RELEASE_DIGEST || memcmp(release->url, "http", 4) != 0)
        in->is_bad = true;
}

bool downlink_read(const uint8_t *body, size_t length, struct downlink *downlink, struct config *config,
                   struct gateways *gateways, struct release *release)
{
    struct cbor_reader reader = {body, body + length, false, 0};
    struct cbor_reader *in = &reader;
    memset(downlink, 0, sizeof *downlink);
    if (length == 0) return true;
    uint32_t left = cbor_open(in, CBOR_MAP, ENTRIES_MAX);
    int key;
    while ((key = cbor_key(in, &left, DOWN_KEYS)) >= 0) {
        switch (key) {
        case DOWN_TIME:
            downlink->time = cbor_uint(in, UINT32_MAX);
            break;
        case DOWN_COMMANDS:
            downlink->count = (uint8_t)cbor_open(in, CBOR_ARRAY, COMMANDS_HEARD_MAX);
            for (unsigned i = 0; i < downlink->count; i++) read_command(in, &downlink->commands[i]);
            break;
        case DOWN_MORE:
            downlink->has_more = cbor_bool(in);
            break;
        case DOWN_ACKED:
            downlink->acked_upto = read_id(in);
            break;
        case DOWN_CONFIG:
            downlink->has_config = true;
            read_config(in, config);
            break;
        case DOWN_GATEWAYS:
            downlink->has_gateways = true;
            read_gateways(in, gateways);
            break;
        case DOWN_FIRMWARE:
            downlink->has_release = true;
            read_release(in, release);
            break;
        default:
            downlink->acked_meal = read_id(in);
        }
    }
    /* What stands behind the map is not ours to guess at. */
    return !in->is_bad && in->at == in->end;
}
