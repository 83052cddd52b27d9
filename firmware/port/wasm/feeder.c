/**
 * One feeder in a WebAssembly instance. The port is imported from the host (local/src/demo/core.ts, which has the same lists); bytes
 * cross in `buffer`, or where the core has them.
 */
#include "../../core/feeder.h"

#include <string.h>

#define IMPORT(name) __attribute__((import_module("port"), import_name(#name)))
#define EXPORT(name) __attribute__((export_name(#name)))

/** What `tune` sets, in the order of the host's list. */
enum tune {
    TUNE_SEQUENCE_STEP,
    TUNE_FULL_AFTER_S,
    TUNE_INTERVAL_S,
    TUNE_INTERVAL_MIN_S,
    TUNE_WINDOW_MIN_MS,
    TUNE_WINDOW_MAX_MS,
    TUNE_WAKE_MAX_MS,
    TUNE_BACK_OFF_MAX_S,
    TUNE_ASK_AFTER_S,
    TUNE_MOTOR_MAX_MS,
    TUNE_FIRMWARE,
    TUNE_UPDATE_CLEAR_S,
    TUNE_UPDATE_BACK_OFF_S,
    TUNE_UPDATE_TRIAL_S,
    TUNE_UPDATE_STALLED_MS,
};

IMPORT(uptime_s) uint32_t host_uptime_s(void);
IMPORT(uptime_ms) uint32_t host_uptime_ms(void);
IMPORT(random) uint32_t host_random(void);
IMPORT(get) int host_get(uint32_t key, void *out, size_t size);
IMPORT(put) uint32_t host_put(uint32_t key, const void *value, size_t size);
IMPORT(join) uint32_t host_join(void);
IMPORT(send) void host_send(const char *host, size_t host_length, uint32_t port, const uint8_t *datagram, size_t length);
IMPORT(motor) void host_motor(uint32_t direction);
/** Fills in four numbers: pulses, current (mA), battery (mV), whether the hopper is empty. */
IMPORT(read_motor) void host_read_motor(uint32_t *numbers);
/** Fills in four numbers: battery (mV), temperature (tenths), signal (dBm), hopper (percent). */
IMPORT(sense) void host_sense(int32_t *numbers);
IMPORT(log) void host_log(uint32_t event, uint32_t number);
/** `length` 0: no more. */
IMPORT(fetch) void host_fetch(const char *url, size_t length, uint32_t offset);
IMPORT(fetched) int host_fetched(uint8_t *out, size_t size);
IMPORT(write_image) uint32_t host_write_image(uint32_t offset, const uint8_t *data, size_t length);
IMPORT(digest_image) uint32_t host_digest_image(uint32_t size, uint8_t *digest);
IMPORT(choose_image) uint32_t host_choose_image(uint32_t choice);
IMPORT(hkdf) uint32_t host_hkdf(const uint8_t *salt, size_t salt_length, const uint8_t *secret, size_t secret_length,
                                const uint8_t *info, size_t info_length, uint8_t *out, size_t length);
IMPORT(seal) uint32_t host_seal(const uint8_t *key, const uint8_t *nonce, const uint8_t *aad, size_t aad_length, uint8_t *data,
                                size_t length);
IMPORT(open) uint32_t host_open(const uint8_t *key, const uint8_t *nonce, const uint8_t *aad, size_t aad_length, uint8_t *data,
                                size_t length);

static struct feeder feeder;
static struct feeder_settings settings;
static uint8_t buffer[FEEDER_DATAGRAM_MAX];
static bool is_awake;

static uint32_t uptime_s(void *context)
{
    (void)context;
    return host_uptime_s();
}

static uint32_t uptime_ms(void *context)
{
    (void)context;
    return host_uptime_ms();
}

static uint32_t random_number(void *context)
{
    (void)context;
    return host_random();
}

static int get(void *context, enum store_key key, void *out, size_t size)
{
    (void)context;
    return host_get(key, out, size);
}

static bool put(void *context, enum store_key key, const void *value, size_t size)
{
    (void)context;
    return host_put(key, value, size) != 0;
}

/** An instance keeps its memory while it sleeps; a new one is a cold start. */
static bool recall(void *context, void *out, size_t size)
{
    (void)context;
    (void)out;
    (void)size;
    return false;
}

static void retain(void *context, const void *value, size_t size)
{
    (void)context;
    (void)value;
    (void)size;
}

static bool join(void *context, bool may_scan)
{
    (void)context;
    (void)may_scan;
    return host_join() != 0;
}

static void send(void *context, const struct gateway *gateway, const uint8_t *datagram, size_t length)
{
    (void)context;
    host_send(gateway->host, strlen(gateway->host), gateway->port, datagram, length);
}

static void motor(void *context, enum motor_direction direction)
{
    (void)context;
    host_motor(direction);
}

static void read_motor(void *context, struct motor_reading *reading)
{
    uint32_t numbers[4];
    (void)context;
    host_read_motor(numbers);
    *reading = (struct motor_reading){numbers[0], (uint16_t)numbers[1], (uint16_t)numbers[2], numbers[3] != 0};
}

static void sense(void *context, struct port_senses *senses)
{
    int32_t numbers[4];
    (void)context;
    host_sense(numbers);
    *senses = (struct port_senses){(uint16_t)numbers[0], (int16_t)numbers[1], (int16_t)numbers[2], (uint8_t)numbers[3]};
}

static void log_event(void *context, enum port_event event, uint32_t number)
{
    (void)context;
    host_log(event, number);
}

static bool hkdf(struct crypto_bytes salt, struct crypto_bytes secret, struct crypto_bytes info, uint8_t *out, size_t length)
{
    return host_hkdf(salt.data, salt.length, secret.data, secret.length, info.data, info.length, out, length) != 0;
}

static bool seal(const uint8_t *key, const uint8_t *nonce, struct crypto_bytes aad, uint8_t *data, size_t length)
{
    return host_seal(key, nonce, aad.data, aad.length, data, length) != 0;
}

static bool open(const uint8_t *key, const uint8_t *nonce, struct crypto_bytes aad, uint8_t *data, size_t length)
{
    return host_open(key, nonce, aad.data, aad.length, data, length) != 0;
}

static void fetch(void *context, const char *url, uint32_t offset)
{
    (void)context;
    host_fetch(url, url == NULL ? 0 : strlen(url), offset);
}

static int fetched(void *context, uint8_t *out, size_t size)
{
    (void)context;
    return host_fetched(out, size);
}

static bool write_image(void *context, uint32_t offset, const uint8_t *data, size_t length)
{
    (void)context;
    return host_write_image(offset, data, length) != 0;
}

static bool digest_image(void *context, uint32_t size, uint8_t *digest)
{
    (void)context;
    return host_digest_image(size, digest) != 0;
}

static bool choose_image(void *context, enum image_choice choice)
{
    (void)context;
    return host_choose_image(choice) != 0;
}

static const struct crypto crypto = {hkdf, seal, open};
static const struct port_images images = {fetch, fetched, write_image, digest_image, choose_image};
static struct port port = {NULL, &crypto, uptime_s, uptime_ms,  random_number, get,       put, recall, retain,
                           join, send,    motor,    read_motor, sense,         log_event, NULL};

/** Where bytes are passed in: FEEDER_DATAGRAM_MAX of them. */
EXPORT(buffer) uint8_t *export_buffer(void)
{
    return buffer;
}

/** First of all: the buffer holds kid and secret. */
EXPORT(identify) void export_identify(void)
{
    feeder_defaults(&settings);
    memcpy(settings.kid, buffer, FEEDER_KID);
    memcpy(settings.secret, buffer + FEEDER_KID, FEEDER_SECRET);
}

/** The buffer holds an id and a host, one behind the other. False: no room. */
EXPORT(add_gateway) uint32_t export_add_gateway(size_t id_length, size_t host_length, uint32_t number)
{
    struct gateways *known = &settings.gateways;
    if (known->count == GATEWAYS_MAX || id_length > GATEWAY_ID_MAX || host_length > GATEWAY_HOST_MAX) return false;
    struct gateway *gateway = &known->list[known->count++];
    memset(gateway, 0, sizeof *gateway);
    memcpy(gateway->id, buffer, id_length);
    memcpy(gateway->host, buffer + id_length, host_length);
    gateway->port = (uint16_t)number;
    return true;
}

/** The host has room for another firmware. */
EXPORT(take_images) void export_take_images(void)
{
    port.images = &images;
}

EXPORT(tune) void export_tune(uint32_t which, uint32_t value)
{
    struct policy_settings *policy = &settings.policy;
    switch ((enum tune)which) {
    case TUNE_SEQUENCE_STEP:
        settings.sequence_step = value;
        break;
    case TUNE_FULL_AFTER_S:
        settings.full_after_s = value;
        break;
    case TUNE_INTERVAL_S:
        policy->interval_s = value;
        break;
    case TUNE_INTERVAL_MIN_S:
        policy->interval_min_s = value;
        break;
    case TUNE_WINDOW_MIN_MS:
        policy->window_min_ms = (uint16_t)value;
        break;
    case TUNE_WINDOW_MAX_MS:
        policy->window_max_ms = (uint16_t)value;
        break;
    case TUNE_WAKE_MAX_MS:
        policy->wake_max_ms = (uint16_t)value;
        break;
    case TUNE_BACK_OFF_MAX_S:
        policy->back_off_max_s = policy->back_off_urgent_s = value;
        break;
    case TUNE_ASK_AFTER_S:
        policy->ask_after_s = value;
        break;
    case TUNE_MOTOR_MAX_MS:
        settings.motor.run_max_ms = value;
        break;
    case TUNE_FIRMWARE:
        settings.firmware = value;
        break;
    case TUNE_UPDATE_CLEAR_S:
        settings.update.clear_s = value;
        break;
    case TUNE_UPDATE_BACK_OFF_S:
        settings.update.back_off_s = value;
        break;
    case TUNE_UPDATE_TRIAL_S:
        settings.update.trial_s = value;
        break;
    case TUNE_UPDATE_STALLED_MS:
        settings.update.stalled_ms = value;
        settings.update.fetch_max_ms = 30 * value;
        break;
    }
}

/** @return enum feeder_start */
EXPORT(start) uint32_t export_start(void)
{
    return feeder_start(&feeder, &port, &settings);
}

/** One step; the buffer holds a datagram of that length. @return milliseconds until the next */
EXPORT(step) uint32_t export_step(size_t length)
{
    const struct feeder_wait wait = feeder_step(&feeder, buffer, length);
    is_awake = wait.is_awake;
    return wait.ms;
}

/** Whether it has to hear what comes until then. */
EXPORT(is_awake) uint32_t export_is_awake(void)
{
    return is_awake;
}

EXPORT(button) void export_button(void)
{
    feeder_button(&feeder);
}

/** Minutes on the wall by a rule that the buffer holds as 10 numbers of 32 bits: for tests of schedules against other clocks. */
EXPORT(local_minute) uint32_t export_local_minute(uint32_t now)
{
    int32_t numbers[10];
    uint32_t change;
    memcpy(numbers, buffer, sizeof numbers);
    const struct zone_rule rule = {
        (int16_t)numbers[0],
        (int16_t)numbers[1],
        {(uint8_t)numbers[2], (uint8_t)numbers[3], (uint8_t)numbers[4], (int16_t)numbers[5]},
        {(uint8_t)numbers[6], (uint8_t)numbers[7], (uint8_t)numbers[8], (int16_t)numbers[9]},
    };
    return local_minute(&rule, now, &change);
}
