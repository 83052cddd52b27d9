#include "coap.h"

#include <string.h>

enum { VERSION = 1, HEADER = 4 };

/** One option, and where the next one begins. False: none is left, or the format is wrong (`*is_bad`). */
static bool next_option(struct coap_span *rest, uint32_t *number, struct coap_span *value, bool *is_bad)
{
    uint8_t *at = rest->data;
    const uint8_t *end = at + rest->length;
    if (at == end || *at == COAP_PAYLOAD_MARKER) return false;
    uint32_t parts[2] = {(uint32_t)(*at >> 4), (uint32_t)(*at & 15)};
    at++;
    for (unsigned i = 0; i < 2; i++) {
        const unsigned wide = parts[i] == 13 ? 1 : parts[i] == 14 ? 2 : 0;
        if (parts[i] == 15 || (size_t)(end - at) < wide) goto bad;
        if (wide == 1) parts[i] = 13u + at[0];
        if (wide == 2) parts[i] = 269u + ((uint32_t)at[0] << 8 | at[1]);
        at += wide;
    }
    if (parts[1] > (size_t)(end - at)) goto bad;
    *number += parts[0];
    *value = (struct coap_span){at, parts[1]};
    at += parts[1];
    *rest = (struct coap_span){at, (size_t)(end - at)};
    return true;
bad:
    *is_bad = true;
    return false;
}

bool coap_split(struct coap_span rest, struct coap_span *options, struct coap_span *payload)
{
    struct coap_span value;
    uint32_t number = 0;
    bool is_bad = false;
    uint8_t *start = rest.data;
    while (next_option(&rest, &number, &value, &is_bad)) continue;
    if (is_bad) return false;
    *options = (struct coap_span){start, (size_t)(rest.data - start)};
    *payload = rest;
    if (rest.length == 0) return true;
    /* A marker with nothing behind it is a format error (section 3). */
    *payload = (struct coap_span){rest.data + 1, rest.length - 1};
    return payload->length > 0;
}

bool coap_read(uint8_t *datagram, size_t length, struct coap_message *message)
{
    if (length < HEADER || datagram[0] >> 6 != VERSION) return false;
    const size_t token = datagram[0] & 15;
    if (token > COAP_TOKEN_MAX || length < HEADER + token) return false;
    message->type = datagram[0] >> 4 & 3;
    message->code = datagram[1];
    message->id = (uint16_t)(datagram[2] << 8 | datagram[3]);
    message->token = (struct coap_span){datagram + HEADER, token};
    const struct coap_span rest = {datagram + HEADER + token, length - HEADER - token};
    return coap_split(rest, &message->options, &message->payload);
}

bool coap_option(struct coap_span options, uint32_t number, struct coap_span *value)
{
    uint32_t at = 0;
    bool is_bad = false;
    while (next_option(&options, &at, value, &is_bad))
        if (at == number) return true;
    return false;
}

size_t coap_write_header(uint8_t *out, enum coap_type type, uint8_t code, uint16_t id, struct coap_span token)
{
    out[0] = (uint8_t)(VERSION << 6 | (unsigned)type << 4 | token.length);
    out[1] = code;
    out[2] = (uint8_t)(id >> 8);
    out[3] = (uint8_t)id;
    memcpy(out + HEADER, token.data, token.length);
    return HEADER + token.length;
}

size_t coap_write_option(uint8_t *out, uint32_t delta, const void *value, size_t length)
{
    const uint32_t parts[2] = {delta, (uint32_t)length};
    uint8_t nibbles[2];
    uint8_t *at = out + 1;
    for (unsigned i = 0; i < 2; i++) {
        if (parts[i] < 13) {
            nibbles[i] = (uint8_t)parts[i];
        } else if (parts[i] < 269) {
            nibbles[i] = 13;
            *at++ = (uint8_t)(parts[i] - 13);
        } else {
            nibbles[i] = 14;
            *at++ = (uint8_t)((parts[i] - 269) >> 8);
            *at++ = (uint8_t)(parts[i] - 269);
        }
    }
    out[0] = (uint8_t)(nibbles[0] << 4 | nibbles[1]);
    if (length > 0) memcpy(at, value, length);
    return (size_t)(at - out) + length;
}
