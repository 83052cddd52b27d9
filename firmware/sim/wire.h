/** Sockets of the feeders that are awake, and what happens to datagrams between them and real gateways. */
#ifndef PESEBRE_SIM_WIRE_H
#define PESEBRE_SIM_WIRE_H

#include <netinet/in.h>

#include "fate.h"

/** What has no answer after so long in real time will get none: the machine is shared by ten thousand. */
enum { WIRE_ANSWER_MAX_MS = 1000 };

/** Readings of a clock that does not step, milliseconds. */
uint64_t real_ms(void);

struct wire_socket {
    int fd;
    /** A request left from here and its answer did not come yet: its token, and when it left. */
    bool is_awaiting;
    uint8_t token;
    uint64_t sent_ms;
};

struct wire {
    struct fate *fate;
    struct wire_socket *sockets;
    unsigned count;
    int epoll;
    /** A datagram that was kept back, to come late. */
    uint8_t late[FEEDER_DATAGRAM_MAX];
    size_t late_length;
    struct sockaddr_in late_to;
    unsigned sent;
    unsigned heard;
    unsigned lost;
};

/** Opens `count` sockets. False: the system does not give so many. */
bool wire_open(struct wire *wire, unsigned count, struct fate *fate);

/** A datagram on its way from a feeder. */
struct wire_request {
    const struct gateway *gateway;
    const uint8_t *datagram;
    size_t length;
    bool wants_answer;
    /** Of the sender's own time: a gateway that is dead is so for an hour. */
    uint32_t hour;
};

/** Sends a request from a socket, or loses, doubles or delays it by chance. */
void wire_send(struct wire *wire, unsigned socket, const struct wire_request *request);

/** Waits at most `ms` for datagrams. @return how many of `ready` were filled with sockets that have one */
unsigned wire_wait(struct wire *wire, int ms, unsigned *ready, unsigned max);

/** Takes the datagram of a socket. @return its length; 0: there is none, or it was lost */
size_t wire_receive(struct wire *wire, unsigned socket, uint8_t *datagram, size_t size);

/** Whether the answer to the last request of a socket may still come: for one that never left nobody need wait in real time. */
bool wire_expects(const struct wire *wire, unsigned socket);

#endif
