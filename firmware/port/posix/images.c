#include "images.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "../psa/digest.h"

enum { PATH_LENGTH = 512, HEADERS_MAX = 4096, REQUEST_MAX = 512, WAIT_S = 2 };
/** Said to the program that was chosen: which slot it is, and where the first one was. */
#define SLOT "PESEBRE_SLOT"
#define FIRST "PESEBRE_FIRST"

/** On trial: chosen, not yet run; run, not yet kept. */
enum trial { TRIAL_NONE = '-', TRIAL_CHOSEN = 'c', TRIAL_RUNS = 'r' };

static const char *folder;
static char **arguments;
static int active;
static char trial = TRIAL_NONE;
static int host = -1;
/** What a host that knows no ranges sends before what is wanted. */
static uint32_t ahead;

static void slot_path(char *path, int slot)
{
    snprintf(path, PATH_LENGTH, "%s/slot%d", folder, slot);
}

/** Durable when it returns. */
static bool save(int next_active, char next_trial)
{
    char path[PATH_LENGTH];
    char next[PATH_LENGTH];
    const char text[2] = {(char)('0' + next_active), next_trial};
    snprintf(path, sizeof path, "%s/boot", folder);
    snprintf(next, sizeof next, "%s/boot.new", folder);
    const int file = open(next, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (file < 0) return false;
    const bool is_written = write(file, text, sizeof text) == sizeof text && fsync(file) == 0;
    close(file);
    if (!is_written || rename(next, path) != 0) return false;
    active = next_active;
    trial = next_trial;
    return true;
}

static void load(void)
{
    char path[PATH_LENGTH];
    char text[2];
    snprintf(path, sizeof path, "%s/boot", folder);
    const int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0) return;
    if (read(file, text, sizeof text) == sizeof text) {
        active = text[0] == '1';
        trial = text[1];
    }
    close(file);
}

void images_boot(const char *store, char **words)
{
    char path[PATH_LENGTH];
    char first[PATH_LENGTH] = {0};
    folder = store;
    arguments = words;
    load();
    if (getenv(SLOT) != NULL) return;
    if (readlink("/proc/self/exe", first, sizeof first - 1) < 0) return;
    setenv(FIRST, first, 0);
    for (unsigned i = 0; i < 2; i++) {
        if (trial == TRIAL_RUNS) save(!active, TRIAL_NONE);
        if (trial == TRIAL_CHOSEN) save(active, TRIAL_RUNS);
        slot_path(path, active);
        setenv(SLOT, active == 0 ? "0" : "1", 1);
        execv(path, arguments);
        /* Slot 0 is empty at first: then it is this very program. What cannot be run makes room for the one before. */
        if (errno == ENOENT || trial == TRIAL_NONE) return;
    }
}

static void restart(void)
{
    const char *first = getenv(FIRST);
    unsetenv(SLOT);
    if (first != NULL) execv(first, arguments);
    /* As a power cut: whoever looks after it starts it again. */
    _exit(1);
}

static bool connect_to(const char *address, unsigned port)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    const struct timeval patience = {.tv_sec = WAIT_S};
    host = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (host < 0 || inet_pton(AF_INET, address, &to.sin_addr) != 1) return false;
    setsockopt(host, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    setsockopt(host, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    return connect(host, (const struct sockaddr *)&to, sizeof to) == 0;
}

/** The status of the answer, whose headers are read; 0: there is none. */
static int ask(const char *path, const char *address, uint32_t offset)
{
    char request[REQUEST_MAX];
    char headers[HEADERS_MAX] = {0};
    int status = 0;
    /* HTTP/1.0: nothing comes in chunks. */
    const int length = snprintf(request, sizeof request, "GET /%s HTTP/1.0\r\nHost: %s\r\nRange: bytes=%u-\r\n\r\n", path, address, offset);
    if (send(host, request, (size_t)length, MSG_NOSIGNAL) != length) return 0;
    for (size_t at = 0; at < sizeof headers - 1; at++) {
        if (recv(host, headers + at, 1, 0) != 1) return 0;
        if (at > 3 && memcmp(headers + at - 3, "\r\n\r\n", 4) == 0) break;
    }
    return sscanf(headers, "HTTP/%*s %d", &status) == 1 ? status : 0;
}

static void fetch(void *context, const char *url, uint32_t offset)
{
    char address[16];
    char path[RELEASE_URL_MAX + 1] = {0};
    unsigned port = 80;
    int status = 0;
    (void)context;
    if (host >= 0) close(host);
    host = -1;
    if (url == NULL) return;
    const bool is_known = sscanf(url, "http://%15[0-9.]:%u/%128s", address, &port, path) >= 2 ||
                          sscanf(url, "http://%15[0-9.]/%128s", address, path) >= 1;
    if (is_known && connect_to(address, port)) status = ask(path, address, offset);
    ahead = status == 200 ? offset : 0;
    if (status == 200 || status == 206) return;
    if (host >= 0) close(host);
    host = -1;
}

static int fetched(void *context, uint8_t *out, size_t size)
{
    (void)context;
    if (host < 0) return -1;
    const ssize_t length = recv(host, out, ahead > 0 && ahead < size ? ahead : size, MSG_DONTWAIT);
    if (length < 0 && (errno == EAGAIN || errno == EINTR)) return 0;
    if (length <= 0) return -1;
    if (ahead == 0) return (int)length;
    ahead -= (uint32_t)length;
    return 0;
}

static bool write_image(void *context, uint32_t offset, const uint8_t *data, size_t length)
{
    char path[PATH_LENGTH];
    (void)context;
    slot_path(path, !active);
    if (offset == 0) unlink(path);
    const int file = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0700);
    if (file < 0) return false;
    const bool is_written = pwrite(file, data, length, (off_t)offset) == (ssize_t)length && fdatasync(file) == 0;
    close(file);
    return is_written;
}

static bool read_slot(void *context, uint32_t offset, void *out, size_t length)
{
    return pread(*(const int *)context, out, length, (off_t)offset) == (ssize_t)length;
}

static bool digest_image(void *context, uint32_t size, uint8_t *digest)
{
    char path[PATH_LENGTH];
    (void)context;
    slot_path(path, !active);
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0) return false;
    const bool is_read = psa_digest(read_slot, &file, size, digest);
    close(file);
    return is_read;
}

static bool choose(void *context, enum image_choice choice)
{
    (void)context;
    if (choice == IMAGE_KEEP) return trial == TRIAL_NONE || save(active, TRIAL_NONE);
    if (!save(!active, choice == IMAGE_TRY ? TRIAL_CHOSEN : TRIAL_NONE)) return false;
    restart();
    return false;
}

const struct port_images images_posix = {fetch, fetched, write_image, digest_image, choose};
