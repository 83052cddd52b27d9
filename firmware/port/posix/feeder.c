/**
 * One feeder as a process of a POSIX machine: feeder <store folder> <kid> <secret> <id=ipv4:port>... Real sockets and files, a motor that
 * only counts. A new store folder is provisioned; SIGUSR1 is the button, any other signal that ends it a power cut.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "../../core/feeder.h"
#include "images.h"

/** Said when it is built. */
#ifndef FIRMWARE_VERSION
#define FIRMWARE_VERSION 1
#endif

enum { GRAMS_PER_S = 50, PATH_LENGTH = 512 };

struct machine {
    const char *folder;
    int udp;
    struct timespec booted;
    enum motor_direction direction;
    uint32_t turned_ms;
    uint32_t pulses;
};

static const char *const NAMES[STORE_KEYS] = {"sequence", "record", "config", "gateways", "update"};
static volatile sig_atomic_t is_pressed;

static void on_button(int signal)
{
    (void)signal;
    is_pressed = 1;
}

static uint64_t uptime(const struct machine *machine)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)(now.tv_sec - machine->booted.tv_sec) * 1000 + (uint64_t)(now.tv_nsec / 1000000) -
           (uint64_t)(machine->booted.tv_nsec / 1000000);
}

static uint32_t uptime_s(void *context)
{
    return (uint32_t)(uptime(context) / 1000);
}

static uint32_t uptime_ms(void *context)
{
    return (uint32_t)uptime(context);
}

static uint32_t random_number(void *context)
{
    uint32_t number = 0;
    (void)context;
    if (getrandom(&number, sizeof number, 0) < 0) perror("getrandom");
    return number;
}

static int get(void *context, enum store_key key, void *out, size_t size)
{
    const struct machine *machine = context;
    char path[PATH_LENGTH];
    uint8_t beyond;
    snprintf(path, sizeof path, "%s/%s", machine->folder, NAMES[key]);
    const int file = open(path, O_RDONLY);
    if (file < 0) return errno == ENOENT ? PORT_ABSENT : PORT_FAILED;
    const ssize_t length = read(file, out, size);
    const bool is_longer = read(file, &beyond, 1) > 0;
    close(file);
    return length < 0 || is_longer ? PORT_FAILED : (int)length;
}

/** Whole or not at all, and on disk when it returns: written beside, renamed, the folder synced. */
static bool put(void *context, enum store_key key, const void *value, size_t size)
{
    const struct machine *machine = context;
    char path[PATH_LENGTH];
    char next[PATH_LENGTH];
    snprintf(path, sizeof path, "%s/%s", machine->folder, NAMES[key]);
    snprintf(next, sizeof next, "%s/%s.new", machine->folder, NAMES[key]);
    const int file = open(next, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    if (file < 0) return false;
    const bool is_written = write(file, value, size) == (ssize_t)size && fsync(file) == 0;
    close(file);
    if (!is_written || rename(next, path) != 0) return false;
    const int folder = open(machine->folder, O_RDONLY | O_DIRECTORY);
    const bool is_durable = folder >= 0 && fsync(folder) == 0;
    if (folder >= 0) close(folder);
    return is_durable;
}

/** The process keeps its memory while it sleeps; a new one is a cold start. */
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
    return true;
}

static void send_datagram(void *context, const struct gateway *gateway, const uint8_t *datagram, size_t length)
{
    const struct machine *machine = context;
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(gateway->port)};
    if (inet_pton(AF_INET, gateway->host, &to.sin_addr) == 1)
        sendto(machine->udp, datagram, length, 0, (const struct sockaddr *)&to, sizeof to);
}

static void turn(struct machine *machine)
{
    const uint32_t now = uptime_ms(machine);
    const uint32_t pulses = (now - machine->turned_ms) * GRAMS_PER_S / 1000;
    if (machine->direction == MOTOR_FORWARD) machine->pulses += pulses;
    machine->turned_ms += pulses * 1000 / GRAMS_PER_S;
}

static void motor(void *context, enum motor_direction direction)
{
    struct machine *machine = context;
    if (machine->direction == MOTOR_OFF) machine->pulses = 0;
    turn(machine);
    machine->direction = direction;
    machine->turned_ms = uptime_ms(machine);
}

static void read_motor(void *context, struct motor_reading *reading)
{
    struct machine *machine = context;
    turn(machine);
    *reading = (struct motor_reading){machine->pulses, 500, 3900, false};
}

static void sense(void *context, struct port_senses *senses)
{
    (void)context;
    *senses = (struct port_senses){3900, 185, -60, 80};
}

static void log_event(void *context, enum port_event event, uint32_t number)
{
    static const char *const names[LOG_EVENTS] = {
        "answered",   "unanswered",  "ignored",  "refused",      "malformed", "motor on", "motor off", "store failed",
        "unreadable", "configured",  "unreachable", "fetching", "fetch failed", "switching", "kept",     "reverted",
    };
    (void)context;
    printf("%s %u\n", names[event], number);
    fflush(stdout);
}

static bool read_hex(const char *hex, uint8_t *out, size_t length)
{
    if (strlen(hex) != 2 * length) return false;
    for (size_t i = 0; i < length; i++) {
        unsigned byte;
        if (sscanf(hex + 2 * i, "%2x", &byte) != 1) return false;
        out[i] = (uint8_t)byte;
    }
    return true;
}

static bool read_identity(int count, char **words, struct feeder_settings *settings)
{
    feeder_defaults(settings);
    if (count < 5 || count - 4 > GATEWAYS_MAX || !read_hex(words[2], settings->kid, FEEDER_KID) ||
        !read_hex(words[3], settings->secret, FEEDER_SECRET))
        return false;
    for (int i = 4; i < count; i++) {
        struct gateway *gateway = &settings->gateways.list[settings->gateways.count++];
        unsigned port;
        if (sscanf(words[i], "%16[^=]=%63[^:]:%u", gateway->id, gateway->host, &port) != 3) return false;
        gateway->port = (uint16_t)port;
    }
    return true;
}

int main(int count, char **words)
{
    static struct feeder feeder;
    static struct feeder_settings settings;
    static struct machine machine;
    static uint8_t datagram[FEEDER_DATAGRAM_MAX];
    const struct port port = {&machine, &crypto_psa, uptime_s,      uptime_ms, random_number, get,   put,      recall,
                              retain,   join,        send_datagram, motor,     read_motor,    sense, log_event, &images_posix};
    if (!read_identity(count, words, &settings)) {
        fprintf(stderr, "feeder <store folder> <kid> <secret> <id=ipv4:port>...\n");
        return 2;
    }
    machine.folder = words[1];
    machine.udp = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    clock_gettime(CLOCK_MONOTONIC, &machine.booted);
    signal(SIGUSR1, on_button);
    /* A folder that is made now has never spoken: its sequence begins. */
    if (mkdir(machine.folder, 0700) == 0) {
        const uint32_t first = 0;
        put(&machine, STORE_SEQUENCE, &first, sizeof first);
    }
    images_boot(machine.folder, words);
    settings.firmware = FIRMWARE_VERSION;
    const enum feeder_start started = feeder_start(&feeder, &port, &settings);
    if (started != FEEDER_STARTED) {
        fprintf(stderr, "Cannot start: %s: %s\n", started == FEEDER_NOT_PROVISIONED ? "not provisioned" : "store fails", words[1]);
        return 1;
    }
    ssize_t length = 0;
    for (;;) {
        if (is_pressed) feeder_button(&feeder);
        is_pressed = 0;
        const struct feeder_wait wait = feeder_step(&feeder, datagram, length > 0 ? (size_t)length : 0);
        struct pollfd hears = {.fd = machine.udp, .events = POLLIN};
        length = 0;
        if (poll(&hears, 1, (int)(wait.ms > INT32_MAX ? INT32_MAX : wait.ms)) == 1)
            length = recv(machine.udp, datagram, sizeof datagram, MSG_DONTWAIT);
        /* A sleeping feeder hears nothing. */
        if (!wait.is_awake) length = 0;
    }
}
