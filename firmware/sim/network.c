#include "network.h"

#include <arpa/inet.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#ifndef TEST_CRYPTO
#define TEST_CRYPTO crypto_soft
#endif

enum { RUNS = 64, CAP_DAY_S = 86400, SETTLE_S = 4 * 3600, OFF_MS = 30000 };
/** The virtual clock begins so late that no unsigned difference goes below zero. */
enum { START_MS = 1000 };

struct run {
    uint32_t id;
    bool is_meal;
    uint32_t at_s;
    uint32_t grams;
};

struct device {
    struct feeder feeder;
    struct feeder_settings settings;
    struct port port;
    struct simulation *simulation;
    uint8_t values[STORE_KEYS][1600];
    int lengths[STORE_KEYS];
    uint8_t retained[512];
    size_t retained_length;
    /** Its own time, milliseconds; while awake the real time that has passed is added. */
    uint64_t ms;
    uint64_t booted_ms;
    uint64_t woken_real_ms;
    /** When its next step is: by its own clock, or by the real one while awake. */
    uint64_t due_ms;
    int slot;
    enum motor_direction direction;
    bool is_jammed;
    bool is_started;
    struct run runs[RUNS];
    unsigned run_count;
    unsigned wakes;
    uint64_t radio_ms;
    uint32_t answered_sequence;
    unsigned answered;
    const char *broken;
};

struct simulation {
    const struct sim_options *options;
    struct device *devices;
    struct gateways gateways;
    /** Sleepers by due time: a heap. */
    struct device **heap;
    unsigned heap_count;
    struct pollfd *sockets;
    struct device **awake;
    /** A datagram that was kept back, to come late. */
    uint8_t late[1400];
    size_t late_length;
    struct sockaddr_in late_to;
    uint32_t seed;
    bool is_settling;
    unsigned power_cuts;
    unsigned sent;
    unsigned heard;
    unsigned lost;
    jmp_buf cut;
};

static uint64_t real_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static bool happens(struct simulation *simulation, uint32_t chances)
{
    if (chances == 0 || simulation->is_settling) return false;
    uint32_t x = simulation->seed;
    x ^= x << 13;
    x ^= x >> 17;
    x ^= x << 5;
    simulation->seed = x;
    return (x >> 4) % 1000000 < chances;
}

static void step(struct device *device)
{
    struct simulation *simulation = device->simulation;
    if (happens(simulation, simulation->options->chances.cut)) longjmp(simulation->cut, 1);
}

static uint64_t now_of(const struct device *device)
{
    return device->ms + (device->slot >= 0 ? real_ms() - device->woken_real_ms : 0);
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
    step(device);
    memcpy(device->values[key], value, size);
    device->lengths[key] = (int)size;
    step(device);
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
    memcpy(device->retained, value, size);
    device->retained_length = size;
}

static bool join(void *context, bool may_scan)
{
    (void)context;
    (void)may_scan;
    return true;
}

static void transmit(struct device *device, const struct sockaddr_in *to, const uint8_t *datagram, size_t length)
{
    struct simulation *simulation = device->simulation;
    simulation->sent++;
    sendto(simulation->sockets[device->slot].fd, datagram, length, 0, (const struct sockaddr *)to, sizeof *to);
}

static void send_datagram(void *context, const struct gateway *gateway, const uint8_t *datagram, size_t length)
{
    struct device *device = context;
    struct simulation *simulation = device->simulation;
    const struct world_chances *chances = &simulation->options->chances;
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(gateway->port)};
    step(device);
    inet_pton(AF_INET, gateway->host, &to.sin_addr);
    const uint32_t hour = (uint32_t)(now_of(device) / 3600000);
    const bool is_away = !simulation->is_settling &&
                         (hour * 2654435761u ^ (uint32_t)gateway->id[0] * 40503u) % 1000000 < chances->dead;
    if (is_away || happens(simulation, chances->loss)) {
        simulation->lost++;
    } else if (simulation->late_length == 0 && happens(simulation, chances->reorder)) {
        memcpy(simulation->late, datagram, length);
        simulation->late_length = length;
        simulation->late_to = to;
    } else {
        transmit(device, &to, datagram, length);
        if (happens(simulation, chances->doubles)) transmit(device, &to, datagram, length);
    }
    if (simulation->late_length > 0 && happens(simulation, 500000)) {
        transmit(device, &simulation->late_to, simulation->late, simulation->late_length);
        simulation->late_length = 0;
    }
    step(device);
}

static void motor(void *context, enum motor_direction direction)
{
    struct device *device = context;
    step(device);
    if (direction == MOTOR_FORWARD && device->direction == MOTOR_OFF) {
        struct feed_record record;
        memcpy(&record, device->values[STORE_RECORD], sizeof record);
        const bool is_meal = (record.active & OUTCOME_IS_MEAL) != 0;
        if ((record.active & OUTCOME_STATE) != OUTCOME_DISPENSING) device->broken = "the motor runs before the store says dispensing";
        for (unsigned i = 0; i < device->run_count; i++)
            if (device->runs[i].id == record.active_id && device->runs[i].is_meal == is_meal) device->broken = "an order ran twice";
        if (device->run_count < RUNS)
            device->runs[device->run_count++] =
                (struct run){record.active_id, is_meal, (uint32_t)(now_of(device) / 1000), record.active_grams};
        device->is_jammed = happens(device->simulation, device->simulation->options->chances.jam);
    }
    device->direction = direction;
    step(device);
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

static void push(struct simulation *simulation, struct device *device)
{
    unsigned at = simulation->heap_count++;
    while (at > 0 && simulation->heap[(at - 1) / 2]->due_ms > device->due_ms) {
        simulation->heap[at] = simulation->heap[(at - 1) / 2];
        at = (at - 1) / 2;
    }
    simulation->heap[at] = device;
}

static struct device *pop(struct simulation *simulation)
{
    struct device *first = simulation->heap[0];
    struct device *last = simulation->heap[--simulation->heap_count];
    unsigned at = 0;
    for (;;) {
        unsigned child = 2 * at + 1;
        if (child >= simulation->heap_count) break;
        if (child + 1 < simulation->heap_count && simulation->heap[child + 1]->due_ms < simulation->heap[child]->due_ms) child++;
        if (simulation->heap[child]->due_ms >= last->due_ms) break;
        simulation->heap[at] = simulation->heap[child];
        at = child;
    }
    simulation->heap[at] = last;
    return first;
}

static void switch_off(struct device *device, uint64_t until_ms)
{
    if (device->slot >= 0) {
        device->ms = now_of(device);
        device->radio_ms += real_ms() - device->woken_real_ms;
        device->simulation->awake[device->slot] = NULL;
        device->slot = -1;
    }
    device->due_ms = until_ms > device->ms ? until_ms : device->ms + 1;
    push(device->simulation, device);
}

/** Steps a feeder that has a slot; a power cut in it is a cold start later. */
static void advance(struct device *device, uint8_t *datagram, size_t length)
{
    struct simulation *simulation = device->simulation;
    if (setjmp(simulation->cut) != 0) {
        simulation->power_cuts++;
        device->direction = MOTOR_OFF;
        device->is_started = false;
        device->retained_length = 0;
        switch_off(device, now_of(device) + OFF_MS);
        return;
    }
    if (!device->is_started) {
        if (device->retained_length == 0) device->booted_ms = now_of(device);
        if (feeder_start(&device->feeder, &device->port, &device->settings) != FEEDER_STARTED) device->broken = "it does not start";
        device->is_started = true;
    }
    const struct feeder_wait wait = feeder_step(&device->feeder, datagram, length);
    if (wait.is_awake) {
        device->due_ms = real_ms() + wait.ms;
    } else {
        if (device->direction != MOTOR_OFF) device->broken = "it sleeps while the motor runs";
        /* A deep sleep: all but what was retained is lost. */
        device->is_started = false;
        switch_off(device, now_of(device) + wait.ms);
    }
}

static bool read_gateways(struct simulation *simulation)
{
    char text[512];
    snprintf(text, sizeof text, "%s", simulation->options->gateways);
    for (char *one = strtok(text, ","); one != NULL; one = strtok(NULL, ",")) {
        struct gateway *gateway = &simulation->gateways.list[simulation->gateways.count];
        unsigned port;
        if (simulation->gateways.count == GATEWAYS_MAX || sscanf(one, "%16[^=]=%63[^:]:%u", gateway->id, gateway->host, &port) != 3)
            return false;
        gateway->port = (uint16_t)port;
        simulation->gateways.count++;
    }
    return simulation->gateways.count > 0;
}

static bool read_hex(const char *hex, uint8_t *out, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        unsigned byte;
        if (sscanf(hex + 2 * i, "%2x", &byte) != 1) return false;
        out[i] = (uint8_t)byte;
    }
    return true;
}

static bool provision(struct simulation *simulation)
{
    FILE *file = fopen(simulation->options->keys, "r");
    char kid[32];
    char secret[64];
    if (file == NULL) return false;
    for (uint32_t i = 0; i < simulation->options->devices; i++) {
        struct device *device = &simulation->devices[i];
        struct feeder_settings *settings = &device->settings;
        feeder_defaults(settings);
        if (fscanf(file, "%31s %63s", kid, secret) != 2 || !read_hex(kid, settings->kid, FEEDER_KID) ||
            !read_hex(secret, settings->secret, FEEDER_SECRET)) {
            fclose(file);
            return false;
        }
        settings->gateways = simulation->gateways;
        /* The machine under it is shared by ten thousand. */
        settings->policy.window_min_ms = settings->policy.window_max_ms = 1000;
        settings->policy.wake_max_ms = 20000;
        /* Its clock runs faster than the gateway's: it takes the time once. */
        settings->full_after_s = INT32_MAX;
        for (unsigned key = 0; key < STORE_KEYS; key++) device->lengths[key] = PORT_ABSENT;
        device->lengths[STORE_SEQUENCE] = 4;
        device->simulation = simulation;
        device->slot = -1;
        device->port = (struct port){device,        &TEST_CRYPTO, uptime_s, uptime_ms, random_number, get,   put,      recall,
                                     retain,        join,         send_datagram,       motor,         read_motor, sense, log_event};
        device->ms = START_MS;
        /* Spread over the first interval, as a stable is. */
        device->due_ms = START_MS + (uint64_t)i * 300000 / simulation->options->devices;
        push(simulation, device);
    }
    fclose(file);
    return true;
}

/** Sleepers whose time has come, into free slots. False: nobody is left to wake before `end_ms`. */
static bool fill(struct simulation *simulation, uint64_t end_ms)
{
    bool is_busy = false;
    for (unsigned i = 0; i < simulation->options->slots; i++) {
        if (simulation->awake[i] != NULL) {
            is_busy = true;
            continue;
        }
        if (simulation->heap_count == 0 || simulation->heap[0]->due_ms >= end_ms) continue;
        struct device *device = pop(simulation);
        device->ms = device->due_ms;
        device->slot = (int)i;
        device->woken_real_ms = real_ms();
        device->wakes++;
        simulation->awake[i] = device;
        is_busy = true;
        advance(device, NULL, 0);
    }
    return is_busy;
}

static void serve(struct simulation *simulation)
{
    uint8_t datagram[1500];
    poll(simulation->sockets, simulation->options->slots, 1);
    const uint64_t now = real_ms();
    for (unsigned i = 0; i < simulation->options->slots; i++) {
        if ((simulation->sockets[i].revents & POLLIN) != 0) {
            const ssize_t length = recv(simulation->sockets[i].fd, datagram, sizeof datagram, MSG_DONTWAIT);
            if (length > 0 && simulation->awake[i] != NULL && length <= FEEDER_DATAGRAM_MAX) {
                simulation->heard++;
                if (!happens(simulation, simulation->options->chances.loss)) advance(simulation->awake[i], datagram, (size_t)length);
            }
        }
        if (simulation->awake[i] != NULL && simulation->awake[i]->due_ms <= now) advance(simulation->awake[i], NULL, 0);
    }
}

static void live_until(struct simulation *simulation, uint64_t end_ms)
{
    while (fill(simulation, end_ms)) serve(simulation);
}

static bool has_news(const struct simulation *simulation)
{
    for (uint32_t i = 0; i < simulation->options->devices; i++)
        if (feed_has_news(&simulation->devices[i].feeder.record)) return true;
    return false;
}

static unsigned report(struct simulation *simulation)
{
    const uint32_t life_s = simulation->options->hours * 3600;
    unsigned broken = 0;
    unsigned runs = 0;
    unsigned answered = 0;
    double charge = 0;
    for (uint32_t i = 0; i < simulation->options->devices; i++) {
        struct device *device = &simulation->devices[i];
        if (device->broken == NULL && feed_has_news(&device->feeder.record)) device->broken = "an outcome was never confirmed";
        for (unsigned j = 0; j < device->run_count && device->broken == NULL; j++) {
            uint32_t day = 0;
            for (unsigned k = j; k < device->run_count && device->runs[k].at_s < device->runs[j].at_s + CAP_DAY_S; k++)
                day += device->runs[k].grams;
            if (day > device->settings.maxima.daily) device->broken = "more than a day's cap in 24 hours";
        }
        printf("{\"kid\":\"");
        for (unsigned j = 0; j < FEEDER_KID; j++) printf("%02x", device->settings.kid[j]);
        printf("\",\"sequence\":%u,\"answered\":%u,\"runs\":[", device->answered_sequence, device->answered);
        for (unsigned j = 0; j < device->run_count; j++)
            printf("%s{\"%s\":%u,\"grams\":%u}", j > 0 ? "," : "", device->runs[j].is_meal ? "occurrence" : "n", device->runs[j].id,
                   device->runs[j].grams);
        printf("]%s%s%s}\n", device->broken != NULL ? ",\"broken\":\"" : "", device->broken != NULL ? device->broken : "",
               device->broken != NULL ? "\"" : "");
        broken += device->broken != NULL;
        runs += device->run_count;
        answered += device->answered;
        charge += device->wakes * 21.98 + (double)device->radio_ms * 0.09 + 0.02 * life_s;
    }
    printf("{\"feeders\":%u,\"hours\":%u,\"sent\":%u,\"heard\":%u,\"lost\":%u,\"answered\":%u,\"runs\":%u,\"powerCuts\":%u,"
           "\"mahPerDay\":%.2f,\"broken\":%u}\n",
           simulation->options->devices, simulation->options->hours, simulation->sent, simulation->heard, simulation->lost, answered,
           runs, simulation->power_cuts, charge / simulation->options->devices / 3600 * 24 / simulation->options->hours, broken);
    return broken;
}

int sim_network(const struct sim_options *options)
{
    static struct simulation simulation;
    simulation.options = options;
    simulation.seed = options->chances.seed | 1;
    simulation.devices = calloc(options->devices, sizeof *simulation.devices);
    simulation.heap = calloc(options->devices, sizeof *simulation.heap);
    simulation.sockets = calloc(options->slots, sizeof *simulation.sockets);
    simulation.awake = calloc(options->slots, sizeof *simulation.awake);
    if (!read_gateways(&simulation) || options->keys == NULL || !provision(&simulation)) {
        fprintf(stderr, "Cannot read the gateways or the keys: %s\n", options->keys == NULL ? "--keys" : options->keys);
        return 2;
    }
    for (unsigned i = 0; i < options->slots; i++)
        simulation.sockets[i] = (struct pollfd){.fd = socket(AF_INET, SOCK_DGRAM, 0), .events = POLLIN};
    const uint64_t end_ms = START_MS + options->hours * 3600000ull;
    live_until(&simulation, end_ms);
    /* Then nothing fails any more: in the end every outcome is confirmed. */
    simulation.is_settling = true;
    for (uint32_t passed = 0; passed < SETTLE_S && has_news(&simulation); passed += 600)
        live_until(&simulation, end_ms + (passed + 600) * 1000ull);
    return report(&simulation) > 0;
}
