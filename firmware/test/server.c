#include "server.h"

#include <string.h>

#include "../core/cbor.h"

/** RFC 8613 sections 5.2 and 5.4, for kid and Partial IV as they stand in the option. */
static void bind(const struct oscore_context *device, const uint8_t *piv, size_t piv_length, uint8_t *nonce, uint8_t *aad,
                 size_t *aad_length)
{
    memcpy(nonce, device->common_iv, CRYPTO_NONCE);
    nonce[0] ^= device->sender_id_length;
    for (size_t i = 0; i < device->sender_id_length; i++)
        nonce[1 + 7 - device->sender_id_length + i] ^= device->sender_id[i];
    for (size_t i = 0; i < piv_length; i++) nonce[CRYPTO_NONCE - piv_length + i] ^= piv[i];
    uint8_t external[32];
    struct cbor_writer inner = {external, sizeof external, 0, false};
    cbor_copy(&inner, "\x85\x01\x81\x0a", 4);
    cbor_string(&inner, CBOR_BYTES, device->sender_id, device->sender_id_length);
    cbor_string(&inner, CBOR_BYTES, piv, piv_length);
    cbor_copy(&inner, "\x40", 1);
    struct cbor_writer outer = {aad, 64, 0, false};
    cbor_copy(&outer, "\x83\x68" "Encrypt0\x40", 11);
    cbor_string(&outer, CBOR_BYTES, external, inner.length);
    *aad_length = outer.length;
}

static size_t piv_of(uint32_t sequence, uint8_t *piv)
{
    size_t length = 1;
    while (length < 4 && sequence >> (8 * length) != 0) length++;
    for (size_t i = 0; i < length; i++) piv[i] = (uint8_t)(sequence >> (8 * (length - 1 - i)));
    return length;
}

bool server_open(const struct oscore_context *device, const struct crypto *crypto, uint8_t *datagram, size_t length,
                 struct server_request *request)
{
    struct coap_message message;
    struct coap_span option;
    struct coap_span options;
    struct coap_span payload;
    struct coap_span echo;
    uint8_t nonce[CRYPTO_NONCE];
    uint8_t aad[64];
    size_t aad_length;
    if (!coap_read(datagram, length, &message) || !coap_option(message.options, COAP_OSCORE, &option)) return false;
    const size_t piv_length = option.data[0] & 7;
    if (option.length != 1 + piv_length + device->sender_id_length ||
        memcmp(option.data + 1 + piv_length, device->sender_id, device->sender_id_length) != 0)
        return false;
    bind(device, option.data + 1, piv_length, nonce, aad, &aad_length);
    if (!crypto->open(device->sender_key, nonce, (struct crypto_bytes){aad, aad_length}, message.payload.data,
                      message.payload.length))
        return false;
    request->sequence = 0;
    for (size_t i = 0; i < piv_length; i++) request->sequence = request->sequence << 8 | option.data[1 + i];
    request->numbers.message_id = message.id;
    request->numbers.token_length = (uint8_t)message.token.length;
    memcpy(request->numbers.token, message.token.data, message.token.length);
    const struct coap_span rest = {message.payload.data + 1, message.payload.length - 9};
    if (!coap_split(rest, &options, &payload)) return false;
    request->body = (struct crypto_bytes){payload.data, payload.length};
    request->echo = (struct crypto_bytes){NULL, 0};
    if (coap_option(options, COAP_ECHO, &echo)) request->echo = (struct crypto_bytes){echo.data, echo.length};
    return true;
}

size_t server_answer(const struct oscore_context *device, const struct crypto *crypto, const struct server_request *request,
                     uint8_t code, struct crypto_bytes echo, struct crypto_bytes body, uint8_t *out)
{
    uint8_t piv[5];
    uint8_t nonce[CRYPTO_NONCE];
    uint8_t aad[64];
    size_t aad_length;
    const struct coap_span token = {(uint8_t *)request->numbers.token, request->numbers.token_length};
    bind(device, piv, piv_of(request->sequence, piv), nonce, aad, &aad_length);
    uint8_t *at = out + coap_write_header(out, COAP_NON, 0x44, (uint16_t)(request->numbers.message_id + 7), token);
    at += coap_write_option(at, COAP_OSCORE, NULL, 0);
    *at++ = COAP_PAYLOAD_MARKER;
    uint8_t *plaintext = at;
    uint32_t last = 0;
    *at++ = code;
    if (body.length > 0) {
        at += coap_write_option(at, COAP_CONTENT_FORMAT, "\x3c", 1);
        last = COAP_CONTENT_FORMAT;
    }
    if (echo.length > 0) at += coap_write_option(at, COAP_ECHO - last, echo.data, echo.length);
    if (body.length > 0) {
        *at++ = COAP_PAYLOAD_MARKER;
        memcpy(at, body.data, body.length);
        at += body.length;
    }
    const size_t length = (size_t)(at - plaintext);
    crypto->seal(device->recipient_key, nonce, (struct crypto_bytes){aad, aad_length}, plaintext, length);
    return (size_t)(at - out) + CRYPTO_TAG;
}

static void read_outcome(struct cbor_reader *in, struct outcome *outcome)
{
    uint32_t left = cbor_open(in, CBOR_MAP, 6);
    memset(outcome, 0, sizeof *outcome);
    while (left-- > 0 && !in->is_bad) {
        const uint32_t key = cbor_uint(in, 5);
        const uint32_t value = cbor_uint(in, UINT32_MAX);
        if (key == 0 || key == 5) outcome->id = value;
        if (key == 5) outcome->state |= OUTCOME_IS_MEAL;
        if (key == 1) outcome->state |= (uint8_t)value;
        if (key == 2) outcome->grams = (uint16_t)value;
        if (key == 2) outcome->state |= OUTCOME_HAS_GRAMS;
        if (key == 3) outcome->reason = (uint8_t)value;
        if (key == 4) outcome->at = value;
    }
}

static void read_firmware(struct cbor_reader *in, struct server_uplink *uplink)
{
    uint32_t left = cbor_open(in, CBOR_MAP, 3);
    uplink->has_firmware = true;
    while (left-- > 0 && !in->is_bad) {
        const uint32_t key = cbor_uint(in, 2);
        const uint32_t value = cbor_uint(in, UINT32_MAX);
        if (key == 0) uplink->firmware.version = value;
        if (key == 1) uplink->firmware.tried = value;
        if (key == 2) uplink->firmware.problem = (uint8_t)value;
    }
}

bool server_read(struct crypto_bytes body, struct server_uplink *uplink)
{
    struct cbor_reader in = {body.data, body.data + body.length, false, 0};
    uint32_t left = cbor_open(&in, CBOR_MAP, 9);
    memset(uplink, 0, sizeof *uplink);
    while (left-- > 0 && !in.is_bad) {
        const uint32_t key = cbor_uint(&in, 8);
        if (key == 0) cbor_skip(&in);
        if (key == 1) cbor_skip(&in);
        if (key == 2) uplink->interval_s = cbor_uint(&in, UINT32_MAX);
        if (key == 3) uplink->config_version = cbor_uint(&in, UINT32_MAX);
        if (key == 4) uplink->is_unchanged = !cbor_bool(&in);
        if (key == 5) uplink->clock = cbor_uint(&in, UINT32_MAX);
        if (key == 5) uplink->has_clock = true;
        if (key == 6) {
            uplink->count = (uint8_t)cbor_open(&in, CBOR_ARRAY, OUTCOMES_TOLD_MAX);
            for (unsigned i = 0; i < uplink->count; i++) read_outcome(&in, &uplink->outcomes[i]);
        }
        if (key == 7) uplink->wants_no_answer = cbor_bool(&in);
        if (key == 8) read_firmware(&in, uplink);
    }
    return !in.is_bad && in.at == in.end;
}

static void write_config(struct cbor_writer *out, const struct config *config)
{
    cbor_head(out, CBOR_UINT, 4);
    cbor_head(out, CBOR_MAP, 4);
    cbor_pair(out, 0, config->version);
    cbor_pair(out, 1, config->interval_s);
    cbor_head(out, CBOR_UINT, 3);
    cbor_head(out, CBOR_ARRAY, config->schedule.count);
    for (unsigned i = 0; i < config->schedule.count; i++) {
        cbor_head(out, CBOR_ARRAY, 3);
        cbor_head(out, CBOR_UINT, config->schedule.slots[i].minute);
        cbor_head(out, CBOR_UINT, config->schedule.slots[i].grams);
        cbor_head(out, CBOR_UINT, config->schedule.slots[i].days);
    }
    cbor_head(out, CBOR_UINT, 6);
    cbor_head(out, CBOR_ARRAY, 1);
    cbor_int(out, config->schedule.rule.standard);
}

static void write_release(struct cbor_writer *out, const struct release *release)
{
    cbor_head(out, CBOR_UINT, 7);
    cbor_head(out, CBOR_MAP, 4);
    cbor_pair(out, 0, release->version);
    cbor_pair(out, 1, release->size);
    cbor_head(out, CBOR_UINT, 2);
    cbor_string(out, CBOR_BYTES, release->digest, sizeof release->digest);
    cbor_head(out, CBOR_UINT, 3);
    cbor_string(out, CBOR_TEXT, release->url, strlen(release->url));
}

size_t server_write(const struct downlink *downlink, const struct config *config, const struct release *release, uint8_t *data,
                    size_t size)
{
    struct cbor_writer writer = {data, size, 0, false};
    struct cbor_writer *out = &writer;
    const uint32_t count = (uint32_t)(downlink->time > 0) + (downlink->count > 0) + downlink->has_more +
                           (downlink->acked_upto > 0) + (downlink->acked_meal > 0) + (config != NULL) + (release != NULL);
    if (count == 0) return 0;
    cbor_head(out, CBOR_MAP, count);
    if (downlink->time > 0) cbor_pair(out, 0, downlink->time);
    if (downlink->count > 0) {
        cbor_head(out, CBOR_UINT, 1);
        cbor_head(out, CBOR_ARRAY, downlink->count);
    }
    for (unsigned i = 0; i < downlink->count; i++) {
        cbor_head(out, CBOR_MAP, 4);
        cbor_pair(out, 0, downlink->commands[i].n);
        cbor_pair(out, 1, 1);
        cbor_pair(out, 2, downlink->commands[i].grams);
        cbor_pair(out, 3, downlink->commands[i].ttl_s);
    }
    if (downlink->has_more) cbor_copy(out, "\x02\xf5", 2);
    if (downlink->acked_upto > 0) cbor_pair(out, 3, downlink->acked_upto);
    if (config != NULL) write_config(out, config);
    if (downlink->acked_meal > 0) cbor_pair(out, 6, downlink->acked_meal);
    if (release != NULL) write_release(out, release);
    return out->is_full ? 0 : out->length;
}
