#include "world.h"

#include <string.h>

#ifndef TEST_CRYPTO
#define TEST_CRYPTO crypto_soft
#endif

enum { PULSE_MS = 25, TRIP_MS = 20, DAY_S = 86400 };

/** Whether something that has so many chances in a million happens now. */
static bool happens(struct world *world, uint32_t chances)
{
    if (chances == 0) return false;
    /* xorshift32: a number for each question, the same for the same seed. */
    uint32_t x = world->chances.seed | 1;
    x ^= x << 13;
    x ^= x >> 17;
    x ^= x << 5;
    world->chances.seed = x;
    return (x >> 4) % 1000000 < chances;
}

/** The power may go before each thing that happens, and after it. */
void world_step(struct world *world)
{
    if (++world->steps == world->cut_at || happens(world, world->chances.cut)) longjmp(world->cut, 1);
}

void world_breaks(struct world *world, const char *promise)
{
    if (world->broken == NULL) world->broken = promise;
}

static uint32_t seconds_of(uint64_t ms)
{
    return (uint32_t)(ms / 1000);
}

static uint32_t uptime_s(void *context)
{
    const struct world *world = context;
    return seconds_of(world->ms - world->booted_ms);
}

static uint32_t uptime_ms(void *context)
{
    const struct world *world = context;
    return (uint32_t)(world->ms - world->booted_ms);
}

static uint32_t random_number(void *context)
{
    const struct world *world = context;
    return (uint32_t)(world->ms * 2654435761u >> 8);
}

static int get(void *context, enum store_key key, void *out, size_t size)
{
    const struct world *world = context;
    const int length = world->lengths[key];
    if (length > (int)size) return PORT_FAILED;
    if (length > 0) memcpy(out, world->values[key], (size_t)length);
    return length;
}

static bool put(void *context, enum store_key key, const void *value, size_t size)
{
    struct world *world = context;
    world_step(world);
    if (world->is_store_full) return false;
    memcpy(world->values[key], value, size);
    world->lengths[key] = (int)size;
    world_step(world);
    return true;
}

static bool recall(void *context, void *out, size_t size)
{
    const struct world *world = context;
    if (world->retained_length != size) return false;
    memcpy(out, world->retained, size);
    return true;
}

static void retain(void *context, const void *value, size_t size)
{
    struct world *world = context;
    world_step(world);
    memcpy(world->retained, value, size);
    world->retained_length = size;
}

static bool join(void *context, bool may_scan)
{
    struct world *world = context;
    (void)may_scan;
    world->joins++;
    return world->has_network;
}

static void motor(void *context, enum motor_direction direction)
{
    struct world *world = context;
    world_step(world);
    struct feed_record record;
    memcpy(&record, world->values[STORE_RECORD], sizeof record);
    if (direction == MOTOR_FORWARD && world->direction == MOTOR_OFF) {
        /* What is durable says whose portion this is (F3). */
        if ((record.active & OUTCOME_STATE) != OUTCOME_DISPENSING) world_breaks(world, "the motor runs before the store says dispensing");
        if (world->run_count < WORLD_RUNS)
            world->runs[world->run_count++] =
                (struct world_run){record.active_id, (record.active & OUTCOME_IS_MEAL) != 0, seconds_of(world->ms), 0};
        world->pulses = 0;
        if (world->chances.jam > 0) world->jams_at = happens(world, world->chances.jam) ? 10 : 0;
    }
    world->direction = direction;
    world->motor_ms = (uint32_t)world->ms;
    world_step(world);
}

/** Moves the motor on to the present. */
static void turn(struct world *world)
{
    const uint32_t pulses = ((uint32_t)world->ms - world->motor_ms) / PULSE_MS;
    if (world->direction != MOTOR_FORWARD || world->run_count == 0) return;
    world->motor_ms += pulses * PULSE_MS;
    uint32_t next = world->pulses + pulses;
    if (world->jams_at > 0 && next > world->jams_at) next = world->jams_at;
    world->runs[world->run_count - 1].grams += next - world->pulses;
    world->pulses = next;
}

static void read_motor(void *context, struct motor_reading *reading)
{
    struct world *world = context;
    world_step(world);
    turn(world);
    *reading = (struct motor_reading){world->pulses, 500, world->senses.battery_mv, false};
}

static void sense(void *context, struct port_senses *senses)
{
    *senses = ((struct world *)context)->senses;
}

static void log_event(void *context, enum port_event event, uint32_t number)
{
    struct world *world = context;
    (void)number;
    world->logs[event]++;
}

static struct world_told *told_slot(struct world *world, uint32_t id, bool is_meal)
{
    for (unsigned i = 0; i < world->told_count; i++)
        if (world->told[i].id == id && world->told[i].is_meal == is_meal) return &world->told[i];
    if (world->told_count == WORLD_TOLD) return &world->told[0];
    world->told[world->told_count] = (struct world_told){id, is_meal, 0, 0};
    return &world->told[world->told_count++];
}

/** What a gateway answers: design/wire.md section 1, Downlink. */
static size_t answer_to(struct world *world, const struct server_uplink *uplink, uint8_t *body, size_t size)
{
    struct downlink downlink = {0};
    const uint32_t now = WORLD_EPOCH + seconds_of(world->ms);
    for (unsigned i = 0; i < uplink->count; i++) {
        const struct outcome *outcome = &uplink->outcomes[i];
        const bool is_meal = (outcome->state & OUTCOME_IS_MEAL) != 0;
        struct world_told *told = told_slot(world, outcome->id, is_meal);
        told->states |= (uint16_t)(1u << (outcome->state & OUTCOME_STATE));
        told->grams = outcome->grams;
        uint32_t *acked = is_meal ? &downlink.acked_meal : &downlink.acked_upto;
        if (outcome->id > *acked) *acked = outcome->id;
        if (!is_meal && outcome->id > world->named && !world->is_forgetful) world->named = outcome->id;
    }
    if (uplink->has_clock && (uplink->clock > now + 5 || uplink->clock + 5 < now)) downlink.time = now;
    for (unsigned i = 0; i < world->command_count; i++) {
        const struct world_command *command = &world->commands[i];
        if (command->n <= world->named || command->from > now || command->not_after <= now + 1) continue;
        if (downlink.count == COMMANDS_HEARD_MAX) {
            downlink.has_more = true;
            break;
        }
        downlink.commands[downlink.count++] = (struct command){command->n, command->grams, command->not_after - now};
    }
    const bool is_behind = uplink->config_version < world->config.version;
    /* As with the configuration: only what was asked for. */
    const bool is_other = uplink->has_firmware && uplink->firmware.version != world->release.version;
    const struct release *release = world->has_release && is_other ? &world->release : NULL;
    return server_write(&downlink, is_behind ? &world->config : NULL, release, body, size);
}

static void send(void *context, const struct gateway *gateway, const uint8_t *datagram, size_t length)
{
    struct world *world = context;
    struct server_request request;
    struct server_uplink uplink;
    uint8_t bytes[1400];
    uint8_t body[1000];
    const unsigned which = gateway->id[0] == 'b';
    world_step(world);
    memcpy(bytes, datagram, length);
    world->requests++;
    if (length > world->largest) world->largest = length;
    /* Every other one, as if by chance. */
    const uint32_t hour = seconds_of(world->ms) / 3600;
    const bool is_away = (hour * 2654435761u ^ which * 40503u ^ world->settings.kid[4]) % 1000000 < world->chances.dead;
    if (is_away || happens(world, world->chances.loss)) return;
    const bool is_lost = happens(world, world->chances.loss) || (world->is_lossy && (world->requests * 2654435761u >> 30 & 1) != 0);
    if (!world->is_dead[which]) {
        if (!server_open(&world->contexts[which], &TEST_CRYPTO, bytes, length, &request) || !server_read(request.body, &uplink)) {
            world_breaks(world, "the gateway cannot read a check-in");
            return;
        }
        /* The gateway's replay window: a number that comes again was used twice. */
        if (world->requests > 1 && request.sequence <= world->sequence) world->is_sequence_reused = true;
        world->sequence = request.sequence;
        world->uplink = uplink;
        if (uplink.has_firmware) world->firmware = uplink.firmware;
        if (world->asks_echo && request.echo.length == 0) {
            const struct crypto_bytes echo = {(const uint8_t *)"12345678", 8};
            world->answer_length = server_answer(&world->contexts[which], &TEST_CRYPTO, &request, COAP_UNAUTHORIZED, echo,
                                                 (struct crypto_bytes){NULL, 0}, world->answer);
        } else {
            const size_t told = answer_to(world, &uplink, body, sizeof body);
            world->beacons += uplink.wants_no_answer;
            if (!uplink.wants_no_answer && !is_lost)
                world->answer_length = server_answer(&world->contexts[which], &TEST_CRYPTO, &request, world->answer_code,
                                                     (struct crypto_bytes){NULL, 0}, (struct crypto_bytes){body, told}, world->answer);
        }
    }
    world_step(world);
}

void world_init(struct world *world)
{
    static const uint8_t kid[] = {0x11, 0, 0, 0, 2};
    memset(world, 0, sizeof *world);
    for (unsigned i = 0; i < STORE_KEYS; i++) world->lengths[i] = PORT_ABSENT;
    world->lengths[STORE_SEQUENCE] = 4;
    world->senses = (struct port_senses){3900, 185, -60, 80};
    world->has_network = true;
    world->answer_code = COAP_CHANGED;
    world->config.version = 0;
    world->port = (struct port){world,  &TEST_CRYPTO, uptime_s, uptime_ms, random_number, get,        put,   recall,
                                retain, join,         send,     motor,     read_motor,    sense,      log_event, NULL};
    struct feeder_settings *settings = &world->settings;
    feeder_defaults(settings);
    memcpy(settings->kid, kid, sizeof kid);
    memset(settings->secret, 0x5a, sizeof settings->secret);
    settings->gateways.count = WORLD_GATEWAYS;
    for (unsigned i = 0; i < WORLD_GATEWAYS; i++) {
        struct gateway *gateway = &settings->gateways.list[i];
        gateway->id[0] = (char)('a' + i);
        strcpy(gateway->host, "127.0.0.1");
        gateway->port = 5683;
    }
    world_rekey(world);
}

void world_rekey(struct world *world)
{
    for (unsigned i = 0; i < WORLD_GATEWAYS; i++) {
        const struct oscore_secrets secrets = {
            .master_secret = {world->settings.secret, FEEDER_SECRET},
            .id_context = {(const uint8_t *)world->settings.gateways.list[i].id, 1},
            .sender_id = {world->settings.kid, FEEDER_KID},
            .recipient_id = {(const uint8_t *)"g", 1},
        };
        oscore_derive(&secrets, &TEST_CRYPTO, &world->contexts[i]);
    }
}

void world_command(struct world *world, uint32_t n, uint16_t grams, uint32_t in_s, uint32_t ttl_s)
{
    const uint32_t from = WORLD_EPOCH + seconds_of(world->ms) + in_s;
    world->commands[world->command_count++] = (struct world_command){n, grams, from, from + ttl_s};
}

void world_schedule(struct world *world, uint32_t minute, uint16_t grams)
{
    world->config.version++;
    world->config.interval_s = 300;
    world->config.schedule.slots[world->config.schedule.count++] = (struct schedule_slot){(uint16_t)minute, grams, 127};
}

bool world_boot(struct world *world, struct feeder *feeder)
{
    world->direction = MOTOR_OFF;
    world->answer_length = 0;
    world->retained_length = 0;
    world->booted_ms = world->ms;
    if (setjmp(world->cut) != 0) return false;
    return feeder_start(feeder, &world->port, &world->settings) == FEEDER_STARTED;
}

/** Time passes, and what falls into it comes: the answer. @return its length */
static size_t pass(struct world *world, struct feeder_wait wait, uint64_t end)
{
    uint64_t until = world->ms + (wait.ms > 0 ? wait.ms : 1);
    if (until > end) until = end;
    if (world->answer_length > 0 && wait.is_awake && world->ms + TRIP_MS <= until) {
        world->ms += TRIP_MS;
        turn(world);
        const size_t length = world->answer_length;
        world->answer_length = 0;
        world->answers++;
        return length;
    }
    if (!wait.is_awake) world->answer_length = 0;
    world->ms = until;
    turn(world);
    return 0;
}

bool world_live(struct world *world, struct feeder *feeder, uint32_t seconds, bool is_deep)
{
    const uint64_t end = world->ms + seconds * 1000ull;
    /* volatile: it has to outlive the longjmp. */
    volatile size_t length = 0;
    uint8_t datagram[1400];
    volatile unsigned joins = world->joins;
    if (setjmp(world->cut) != 0) {
        turn(world);
        world->power_cuts++;
        return false;
    }
    while (world->ms < end) {
        memcpy(datagram, world->answer, sizeof datagram);
        struct feeder_wait wait = feeder_step(feeder, datagram, length);
        if (length > 0 && (world->is_doubling || happens(world, world->chances.doubles))) {
            memcpy(datagram, world->answer, sizeof datagram);
            wait = feeder_step(feeder, datagram, length);
        }
        if (wait.is_awake && world->old_length > 0 && happens(world, world->chances.reorder)) {
            memcpy(datagram, world->old_answer, sizeof datagram);
            wait = feeder_step(feeder, datagram, world->old_length);
        }
        if (length > 0) {
            memcpy(world->old_answer, world->answer, sizeof datagram);
            world->old_length = length;
        }
        if (world->joins != joins) world->wakes++;
        joins = world->joins;
        const uint64_t before = world->ms;
        if (!wait.is_awake && world->direction != MOTOR_OFF) world_breaks(world, "it sleeps while the motor runs");
        length = pass(world, wait, end);
        if (wait.is_awake) world->radio_ms += world->ms - before;
        if (!wait.is_awake && is_deep && world->ms < end) {
            memset(feeder, 0xee, sizeof *feeder);
            if (feeder_start(feeder, &world->port, &world->settings) != FEEDER_STARTED) world_breaks(world, "it does not wake up");
        }
    }
    return true;
}

void world_survive(struct world *world, struct feeder *feeder, uint32_t seconds, const unsigned *cuts, unsigned cut_count)
{
    const uint64_t end = world->ms + seconds * 1000ull;
    unsigned at = 0;
    for (unsigned starts = 0; world->ms < end && starts < 1000; starts++) {
        world->steps = 0;
        world->cut_at = at < cut_count ? cuts[at] : 0;
        at++;
        if (world_boot(world, feeder)) world_live(world, feeder, seconds_of(end - world->ms) + 1, (starts & 1) != 0);
        world->ms += 700;
    }
}

const struct world_told *world_told_of(const struct world *world, uint32_t id, bool is_meal)
{
    for (unsigned i = 0; i < world->told_count; i++)
        if (world->told[i].id == id && world->told[i].is_meal == is_meal) return &world->told[i];
    return NULL;
}

unsigned world_runs_of(const struct world *world, uint32_t id, bool is_meal)
{
    unsigned count = 0;
    for (unsigned i = 0; i < world->run_count; i++)
        count += world->runs[i].id == id && world->runs[i].is_meal == is_meal;
    return count;
}

const char *world_verdict(struct world *world)
{
    enum { FINAL = 0x1f8 };
    if (world->broken != NULL) return world->broken;
    if (world->is_sequence_reused) return "a sequence number was used twice";
    for (unsigned i = 0; i < world->run_count; i++) {
        const struct world_run *run = &world->runs[i];
        uint32_t day = 0;
        if (world_runs_of(world, run->id, run->is_meal) != 1) return "an order ran twice";
        for (unsigned j = i; j < world->run_count && world->runs[j].at < run->at + DAY_S; j++) day += world->runs[j].grams;
        if (day > world->settings.maxima.daily) return "more than a day's cap in 24 hours";
        const struct world_told *told = world_told_of(world, run->id, run->is_meal);
        if (told == NULL) return "nobody was told of a portion";
    }
    for (unsigned i = 0; i < world->told_count; i++) {
        const struct world_told *told = &world->told[i];
        const uint16_t ends = told->states & FINAL;
        const unsigned runs = world_runs_of(world, told->id, told->is_meal);
        if (ends == 0) return "nobody was told how an order ended";
        if ((ends & (ends - 1)) != 0) return "an order ended in two ways";
        if (ends == 1 << OUTCOME_DONE && runs != 1) return "done, and it did not run";
        if (runs == 1 && (ends & (1 << OUTCOME_REFUSED | 1 << OUTCOME_EXPIRED)) != 0) return "it ran, and is refused or expired";
    }
    return NULL;
}
