/** CoAP messages (RFC 7252 section 3) as a client needs them: one datagram written, one read. */
#ifndef PESEBRE_COAP_H
#define PESEBRE_COAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum coap_type { COAP_CON = 0, COAP_NON = 1, COAP_ACK = 2, COAP_RST = 3 };

/** Codes, RFC 7252 section 12.1: class in the upper three bits. */
enum { COAP_POST = 0x02, COAP_CHANGED = 0x44, COAP_UNAUTHORIZED = 0x81 };

/** Option numbers: RFC 7252 section 12.2, RFC 8613 section 11.1, RFC 9175 section 2.2.1. */
enum { COAP_OSCORE = 9, COAP_URI_PATH = 11, COAP_CONTENT_FORMAT = 12, COAP_ECHO = 252 };

enum { COAP_CBOR = 60, COAP_TOKEN_MAX = 8, COAP_PAYLOAD_MARKER = 0xff };

/** A part of a message that lies in the caller's buffer. */
struct coap_span {
    uint8_t *data;
    size_t length;
};

/** A message as it was read: all parts lie in the datagram. */
struct coap_message {
    uint8_t type;
    uint8_t code;
    uint16_t id;
    struct coap_span token;
    struct coap_span options;
    struct coap_span payload;
};

/**
 * Reads a datagram. Returns false when RFC 7252 calls it a format error. Options are checked by reading them, so that what
 * `coap_option` finds later cannot run past the end.
 */
bool coap_read(uint8_t *datagram, size_t length, struct coap_message *message);

/** Splits what follows a code, options and payload, of a message or of an OSCORE plaintext. False: a format error. */
bool coap_split(struct coap_span rest, struct coap_span *options, struct coap_span *payload);

/** The first option of that number, in options that coap_split took; false when there is none. */
bool coap_option(struct coap_span options, uint32_t number, struct coap_span *value);

/** Writes header and token: 4 bytes and those of the token. Returns how many. */
size_t coap_write_header(uint8_t *out, enum coap_type type, uint8_t code, uint16_t id, struct coap_span token);

/**
 * Writes an option at `out`: at most 5 bytes and its value.
 * @param delta its number less that of the one before it
 * @return how many bytes
 */
size_t coap_write_option(uint8_t *out, uint32_t delta, const void *value, size_t length);

#endif
