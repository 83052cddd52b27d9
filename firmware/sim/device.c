#include "device.h"

#include <string.h>

#ifndef TEST_CRYPTO
#define TEST_CRYPTO crypto_soft
#endif

enum { CAP_DAY_S = 86400, OFF_MS = 30000, HOUR_MS = 3600000 };

static uint64_t now_of(const struct device *device)
{
    return device->ms + (device->socket != DEVICE_ASLEEP ? real_ms() - device->real_from_ms : 0);
}

static uint32_t uptime_s(void *context)
{
    const struct device *device = context;
    return (uint32_t)((now_of(device) - device->booted_ms) / 1000);
}

static uint32_t uptime_ms(void *context)
{
    const struct device *device = context;
    return (uint32_t)(now_of(device) - device->booted_ms);
}

static uint32_t random_number(void *context)
{
    const struct device *device = context;
    return (uint32_t)(now_of(device) * 2654435761u >> 7) ^ device->settings.kid[4];
}

static int get(void *context, enum store_key key, void *out, size_t size)
{
    const struct device *device = context;
    if (device->lengths[key] > (int)size) return PORT_FAILED;
    if (device->lengths[key] > 0) memcpy(out, device->values[key], (size_t)device->lengths[key]);
    return device->lengths[key];
}

static bool put(void *context, enum store_key key, const void *value, size_t size)
{
    struct device *device = context;
    if (size > sizeof device->values[key]) return false;
    fate_step(device->fate);
    memcpy(device->values[key], value, size);
    device->lengths[key] = (int)size;
    fate_step(device->fate);
    return true;
}

static bool recall(void *context, void *out, size_t size)
{
    const struct device *device = context;
    if (device->retained_length != size) return false;
    memcpy(out, device->retained, size);
    return true;
}

static void retain(void *context, const void *value, size_t size)
{
    struct device *device = context;
    if (size > sizeof device->retained) return;
    memcpy(device->retained, value, size);
    device->retained_length = size;
}

static bool join(void *context, bool may_scan)
{
    (void)context;
    (void)may_scan;
    return true;
}

static void send_datagram(void *context, const struct gateway *gateway, const uint8_t *datagram, size_t length)
{
    struct device *device = context;
    fate_step(device->fate);
    const struct wire_request request = {
        .gateway = gateway,
        .datagram = datagram,
        .length = length,
        .wants_answer = !device->feeder.is_beacon,
        .hour = (uint32_t)(now_of(device) / HOUR_MS),
    };
    wire_send(device->wire, (unsigned)device->socket, &request);
    fate_step(device->fate);
}

static void motor(void *context, enum motor_direction direction)
{
    struct device *device = context;
    fate_step(device->fate);
    if (direction == MOTOR_FORWARD && device->direction == MOTOR_OFF) {
        struct feed_record record;
        memcpy(&record, device->values[STORE_RECORD], sizeof record);
        const bool is_meal = (record.active & OUTCOME_IS_MEAL) != 0;
        if ((record.active & OUTCOME_STATE) != OUTCOME_DISPENSING) device->broken = "the motor runs before the store says dispensing";
        for (unsigned i = 0; i < device->run_count; i++)
            if (device->runs[i].id == record.active_id && device->runs[i].is_meal == is_meal) device->broken = "an order ran twice";
        if (device->run_count == DEVICE_RUNS) device->broken = "it ran more often than can be remembered";
        else
            device->runs[device->run_count++] =
                (struct device_run){record.active_id, is_meal, (uint32_t)(now_of(device) / 1000), record.active_grams};
        device->is_jammed = fate_strikes(device->fate, device->fate->chances.jam);
    }
    device->direction = direction;
    fate_step(device->fate);
}

/** It gives a portion between two looks: what takes time is the network. */
static void read_motor(void *context, struct motor_reading *reading)
{
    struct device *device = context;
    *reading = (struct motor_reading){device->is_jammed ? 0 : 100000, 500, 3900, false};
}

static void sense(void *context, struct port_senses *senses)
{
    const struct device *device = context;
    *senses = (struct port_senses){3900, 185, -60, (uint8_t)(90 - device->run_count)};
}

static void log_event(void *context, enum port_event event, uint32_t number)
{
    struct device *device = context;
    (void)number;
    if (event != LOG_ANSWERED) return;
    const struct feeder *feeder = &device->feeder;
    device->answered++;
    /* What says that nothing has changed need not come to a shadow. */
    if (feeder->is_full || !feeder->sleep.has_told_state || feeder->sleep.told_state != feeder->state_crc)
        device->answered_sequence = feeder->request.sequence;
}

void device_init(struct device *device, struct fate *fate, struct wire *wire)
{
    memset(device, 0, sizeof *device);
    device->fate = fate;
    device->wire = wire;
    device->socket = DEVICE_ASLEEP;
    device->ms = device->wakes_ms = DEVICE_BEGINS_MS;
    feeder_defaults(&device->settings);
    device->settings.policy.window_min_ms = device->settings.policy.window_max_ms = WIRE_ANSWER_MAX_MS;
    device->settings.policy.wake_max_ms = 20000;
    /* Its clock runs faster than the gateway's: it takes the time once. */
    device->settings.full_after_s = INT32_MAX;
    for (unsigned key = 0; key < STORE_KEYS; key++) device->lengths[key] = PORT_ABSENT;
    device->lengths[STORE_SEQUENCE] = sizeof(uint32_t);
    device->port = (struct port){
        .context = device,
        .crypto = &TEST_CRYPTO,
        .uptime_s = uptime_s,
        .uptime_ms = uptime_ms,
        .random = random_number,
        .get = get,
        .put = put,
        .recall = recall,
        .retain = retain,
        .join = join,
        .send = send_datagram,
        .motor = motor,
        .read_motor = read_motor,
        .sense = sense,
        .log = log_event,
    };
}

void device_wake(struct device *device, unsigned socket)
{
    device->ms = device->woken_ms = device->wakes_ms;
    device->real_from_ms = real_ms();
    device->socket = (int)socket;
    device->wakes++;
}

static void switch_off(struct device *device, uint64_t for_ms)
{
    device->ms = now_of(device);
    device->radio_ms += device->ms - device->woken_ms;
    device->socket = DEVICE_ASLEEP;
    /* What was retained lasts, all else is lost: a deep sleep. */
    device->is_started = false;
    device->wakes_ms = device->ms + (for_ms > 0 ? for_ms : 1);
}

static void power_cut(struct device *device)
{
    device->direction = MOTOR_OFF;
    device->retained_length = 0;
    switch_off(device, OFF_MS);
}

bool device_advance(struct device *device, uint8_t *datagram, size_t length)
{
    if (setjmp(device->fate->cut) != 0) {
        power_cut(device);
        return false;
    }
    if (!device->is_started) {
        if (device->retained_length == 0) device->booted_ms = now_of(device);
        if (feeder_start(&device->feeder, &device->port, &device->settings) != FEEDER_STARTED) device->broken = "it does not start";
        device->is_started = true;
    }
    struct feeder_wait wait = feeder_step(&device->feeder, datagram, length);
    while (wait.is_awake && !(device->feeder.is_awaiting && wire_expects(device->wire, (unsigned)device->socket))) {
        /* Nothing that is real is waited for: the time passes at once. */
        device->ms += wait.ms;
        wait = feeder_step(&device->feeder, NULL, 0);
    }
    if (wait.is_awake) {
        device->due_real_ms = real_ms() + wait.ms;
        return true;
    }
    if (device->direction != MOTOR_OFF) device->broken = "it sleeps while the motor runs";
    switch_off(device, wait.ms);
    return false;
}

const char *device_verdict(struct device *device)
{
    if (device->broken != NULL) return device->broken;
    if (feed_has_news(&device->feeder.record)) return "an outcome was never confirmed";
    for (unsigned i = 0; i < device->run_count; i++) {
        uint32_t day = 0;
        for (unsigned k = i; k < device->run_count && device->runs[k].at_s < device->runs[i].at_s + CAP_DAY_S; k++)
            day += device->runs[k].grams;
        if (day > device->settings.maxima.daily) return "more than a day's cap in 24 hours";
    }
    return NULL;
}
