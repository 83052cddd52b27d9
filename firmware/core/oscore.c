#include "oscore.h"

#include <string.h>

#include "cbor.h"

/** COSE's numbers: AES-CCM-16-64-128 is 10 (RFC 9053 section 4.2). */
enum { ALGORITHM = 10, OSCORE_VERSION = 1, PIV_MAX = 5 };
enum { INFO_MAX = 2 + OSCORE_ID_MAX + 2 + OSCORE_ID_CONTEXT_MAX + 8, AAD_MAX = 48 };
/** First byte of the option's value, section 6.1: a kid follows; the lowest three bits are the length of the Partial IV. */
enum { FLAG_KID = 8 };

/** A Partial IV: the sequence number in as few bytes as hold it, one at least (section 6.1). */
struct piv {
    uint8_t bytes[PIV_MAX];
    size_t length;
};

static struct piv piv_of(uint32_t sequence)
{
    struct piv piv = {{0}, 1};
    while (piv.length < 4 && sequence >> (8 * piv.length) != 0) piv.length++;
    for (size_t i = 0; i < piv.length; i++) piv.bytes[i] = (uint8_t)(sequence >> (8 * (piv.length - 1 - i)));
    return piv;
}

/** Section 5.2. The id is at most OSCORE_ID_MAX long. */
static void nonce_of(const struct oscore_context *context, const uint8_t *id, size_t id_length, const struct piv *piv,
                     uint8_t *nonce)
{
    memcpy(nonce, context->common_iv, CRYPTO_NONCE);
    nonce[0] ^= (uint8_t)id_length;
    for (size_t i = 0; i < id_length; i++) nonce[1 + OSCORE_ID_MAX - id_length + i] ^= id[i];
    for (size_t i = 0; i < piv->length; i++) nonce[CRYPTO_NONCE - piv->length + i] ^= piv->bytes[i];
}

/** The Enc_structure (section 5.4): the same for a request and for its response, whose kid and Partial IV are the request's. */
static size_t aad_of(const struct oscore_context *context, const struct piv *piv, uint8_t *aad)
{
    /* Array of three: "Encrypt0", no protected header, the external AAD as bytes, whose length is known before. */
    static const uint8_t start[] = {0x83, 0x68, 'E', 'n', 'c', 'r', 'y', 'p', 't', '0', 0x40};
    struct cbor_writer out = {aad, AAD_MAX, 0, false};
    cbor_copy(&out, start, sizeof start);
    cbor_head(&out, CBOR_BYTES, (uint32_t)(7 + context->sender_id_length + piv->length));
    cbor_head(&out, CBOR_ARRAY, 5);
    cbor_head(&out, CBOR_UINT, OSCORE_VERSION);
    cbor_head(&out, CBOR_ARRAY, 1);
    cbor_head(&out, CBOR_UINT, ALGORITHM);
    cbor_string(&out, CBOR_BYTES, context->sender_id, context->sender_id_length);
    cbor_string(&out, CBOR_BYTES, piv->bytes, piv->length);
    cbor_head(&out, CBOR_BYTES, 0);
    return out.length;
}

/** HKDF with the info of section 3.2.1. */
static bool derive(const struct oscore_secrets *secrets, const struct crypto *crypto, struct crypto_bytes id, bool is_key,
                   uint8_t *to)
{
    uint8_t info[INFO_MAX];
    struct cbor_writer out = {info, sizeof info, 0, false};
    const size_t length = is_key ? CRYPTO_KEY : CRYPTO_NONCE;
    cbor_head(&out, CBOR_ARRAY, 5);
    cbor_string(&out, CBOR_BYTES, id.data, id.length);
    if (secrets->id_context.length > 0)
        cbor_string(&out, CBOR_BYTES, secrets->id_context.data, secrets->id_context.length);
    else
        cbor_head(&out, CBOR_SIMPLE, CBOR_NULL);
    cbor_head(&out, CBOR_UINT, ALGORITHM);
    cbor_string(&out, CBOR_TEXT, is_key ? "Key" : "IV", is_key ? 3 : 2);
    cbor_head(&out, CBOR_UINT, (uint32_t)length);
    const struct crypto_bytes bytes = {info, out.length};
    return !out.is_full && crypto->hkdf(secrets->master_salt, secrets->master_secret, bytes, to, length);
}

bool oscore_derive(const struct oscore_secrets *secrets, const struct crypto *crypto, struct oscore_context *context)
{
    const struct crypto_bytes none = {NULL, 0};
    const struct crypto_bytes sender = secrets->sender_id;
    const struct crypto_bytes recipient = secrets->recipient_id;
    if (sender.length > OSCORE_ID_MAX || recipient.length > OSCORE_ID_MAX) return false;
    context->sender_id_length = (uint8_t)sender.length;
    context->recipient_id_length = (uint8_t)recipient.length;
    if (sender.length > 0) memcpy(context->sender_id, sender.data, sender.length);
    if (recipient.length > 0) memcpy(context->recipient_id, recipient.data, recipient.length);
    return derive(secrets, crypto, sender, true, context->sender_key) &&
           derive(secrets, crypto, recipient, true, context->recipient_key) &&
           derive(secrets, crypto, none, false, context->common_iv);
}

/** An option behind others: keeps the number of the last. */
static size_t add_option(uint8_t *out, uint32_t *last, uint32_t number, struct crypto_bytes value)
{
    const size_t length = coap_write_option(out, number - *last, value.data, value.length);
    *last = number;
    return length;
}

size_t oscore_protect(const struct oscore_context *context, const struct crypto *crypto, enum coap_type type,
                      const struct oscore_request *request, const struct oscore_inner *inner, uint8_t *out)
{
    const struct piv piv = piv_of(request->sequence);
    uint8_t nonce[CRYPTO_NONCE];
    uint8_t aad[AAD_MAX];
    uint8_t value[1 + PIV_MAX + OSCORE_ID_MAX];
    const struct coap_span token = {(uint8_t *)request->token, request->token_length};

    value[0] = (uint8_t)(FLAG_KID | piv.length);
    memcpy(value + 1, piv.bytes, piv.length);
    memcpy(value + 1 + piv.length, context->sender_id, context->sender_id_length);
    uint8_t *at = out + coap_write_header(out, type, COAP_POST, request->message_id, token);
    at += coap_write_option(at, COAP_OSCORE, value, 1 + piv.length + context->sender_id_length);
    *at++ = COAP_PAYLOAD_MARKER;

    uint8_t *plaintext = at;
    uint32_t last = 0;
    const uint8_t format = (uint8_t)inner->content_format;
    *at++ = inner->code;
    if (inner->path.length > 0) at += add_option(at, &last, COAP_URI_PATH, inner->path);
    if (inner->content_format >= 0)
        at += add_option(at, &last, COAP_CONTENT_FORMAT, (struct crypto_bytes){&format, format > 0});
    if (inner->echo.length > 0) at += add_option(at, &last, COAP_ECHO, inner->echo);
    if (inner->payload.length > 0) {
        *at++ = COAP_PAYLOAD_MARKER;
        memcpy(at, inner->payload.data, inner->payload.length);
        at += inner->payload.length;
    }
    nonce_of(context, context->sender_id, context->sender_id_length, &piv, nonce);
    const struct crypto_bytes bytes = {aad, aad_of(context, &piv, aad)};
    const size_t length = (size_t)(at - plaintext);
    if (!crypto->seal(context->sender_key, nonce, bytes, plaintext, length)) return 0;
    return (size_t)(at - out) + CRYPTO_TAG;
}

bool oscore_verify(const struct oscore_context *context, const struct crypto *crypto,
                   const struct oscore_request *request, const struct coap_message *message, struct oscore_response *response)
{
    struct coap_span option;
    if (message->token.length != request->token_length ||
        memcmp(message->token.data, request->token, request->token_length) != 0 ||
        !coap_option(message->options, COAP_OSCORE, &option) || message->payload.length <= CRYPTO_TAG)
        return false;

    const struct piv asked = piv_of(request->sequence);
    uint8_t nonce[CRYPTO_NONCE];
    nonce_of(context, context->sender_id, context->sender_id_length, &asked, nonce);
    if (option.length > 0) {
        /* The gateway's own Partial IV. It does not name itself: its key says who it is. */
        struct piv own = {{0}, option.data[0]};
        if (own.length > PIV_MAX || option.length != 1 + own.length) return false;
        if (own.length > 0) {
            memcpy(own.bytes, option.data + 1, own.length);
            nonce_of(context, context->recipient_id, context->recipient_id_length, &own, nonce);
        }
    }
    uint8_t aad[AAD_MAX];
    const struct crypto_bytes bytes = {aad, aad_of(context, &asked, aad)};
    const struct coap_span sealed = message->payload;
    if (!crypto->open(context->recipient_key, nonce, bytes, sealed.data, sealed.length)) return false;
    response->code = sealed.data[0];
    const struct coap_span rest = {sealed.data + 1, sealed.length - CRYPTO_TAG - 1};
    return coap_split(rest, &response->options, &response->payload);
}
