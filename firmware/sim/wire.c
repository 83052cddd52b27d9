#include "wire.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>

enum { READY_MAX = 256 };
/** Requests have a token of one byte behind the header of four (RFC 7252 section 3), and so have their answers. */
enum { TOKEN_AT = 4 };

uint64_t real_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

bool wire_open(struct wire *wire, unsigned count, struct fate *fate)
{
    memset(wire, 0, sizeof *wire);
    wire->fate = fate;
    wire->count = count;
    wire->sockets = calloc(count, sizeof *wire->sockets);
    wire->epoll = epoll_create1(0);
    if (wire->sockets == NULL || wire->epoll < 0) return false;
    for (unsigned i = 0; i < count; i++) {
        struct epoll_event event = {.events = EPOLLIN, .data.u32 = i};
        wire->sockets[i].fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
        if (wire->sockets[i].fd < 0 || epoll_ctl(wire->epoll, EPOLL_CTL_ADD, wire->sockets[i].fd, &event) != 0) return false;
    }
    return true;
}

static void transmit(struct wire *wire, unsigned socket, const struct sockaddr_in *to, const uint8_t *datagram, size_t length)
{
    wire->sent++;
    sendto(wire->sockets[socket].fd, datagram, length, 0, (const struct sockaddr *)to, sizeof *to);
}

static bool is_dead(const struct fate *fate, const struct gateway *gateway, uint32_t hour)
{
    return !fate->is_kind && (hour * 2654435761u ^ (uint32_t)gateway->id[0] * 40503u) % 1000000 < fate->chances.dead;
}

void wire_send(struct wire *wire, unsigned socket, const struct wire_request *request)
{
    struct fate *fate = wire->fate;
    const struct world_chances *chances = &fate->chances;
    struct wire_socket *from = &wire->sockets[socket];
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(request->gateway->port)};
    inet_pton(AF_INET, request->gateway->host, &to.sin_addr);
    from->is_awaiting = false;
    if (is_dead(fate, request->gateway, request->hour) || fate_strikes(fate, chances->loss)) {
        wire->lost++;
    } else if (wire->late_length == 0 && fate_strikes(fate, chances->reorder)) {
        memcpy(wire->late, request->datagram, request->length);
        wire->late_length = request->length;
        wire->late_to = to;
    } else {
        transmit(wire, socket, &to, request->datagram, request->length);
        if (fate_strikes(fate, chances->doubles)) transmit(wire, socket, &to, request->datagram, request->length);
        from->is_awaiting = request->wants_answer;
        from->token = request->datagram[TOKEN_AT];
        from->sent_ms = real_ms();
    }
    /* From another feeder's address: its answer does not find home. */
    if (wire->late_length > 0 && fate_strikes(fate, 500000)) {
        transmit(wire, socket, &wire->late_to, wire->late, wire->late_length);
        wire->late_length = 0;
    }
}

unsigned wire_wait(struct wire *wire, int ms, unsigned *ready, unsigned max)
{
    struct epoll_event events[READY_MAX];
    const int count = epoll_wait(wire->epoll, events, max < READY_MAX ? (int)max : READY_MAX, ms);
    for (int i = 0; i < count; i++) ready[i] = events[i].data.u32;
    return count < 0 ? 0 : (unsigned)count;
}

size_t wire_receive(struct wire *wire, unsigned socket, uint8_t *datagram, size_t size)
{
    struct wire_socket *at = &wire->sockets[socket];
    const ssize_t length = recv(at->fd, datagram, size, 0);
    if (length <= 0) return 0;
    wire->heard++;
    if (length > TOKEN_AT && datagram[TOKEN_AT] == at->token) at->is_awaiting = false;
    if (fate_strikes(wire->fate, wire->fate->chances.loss)) {
        wire->lost++;
        return 0;
    }
    return (size_t)length;
}

bool wire_expects(const struct wire *wire, unsigned socket)
{
    const struct wire_socket *at = &wire->sockets[socket];
    return at->is_awaiting && real_ms() - at->sent_ms < WIRE_ANSWER_MAX_MS;
}
