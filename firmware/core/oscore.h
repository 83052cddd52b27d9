/**
 * OSCORE (RFC 8613) for a client: it protects requests and verifies their responses. AES-CCM-16-64-128, HKDF-SHA-256, no observe,
 * no groups. A response is bound to its request, so no replay window is needed here; only the sender's sequence number must
 * never repeat, which is the caller's part.
 */
#ifndef PESEBRE_OSCORE_H
#define PESEBRE_OSCORE_H

#include "../port/crypto.h"
#include "coap.h"

/** Longest ids: Sender and Recipient ID are limited by the nonce (section 3.3), the ID Context by us. */
enum { OSCORE_ID_MAX = 7, OSCORE_ID_CONTEXT_MAX = 16, OSCORE_SALT_MAX = 16 };

/** What both sides know before (section 3.2). An absent ID Context is one of no length. */
struct oscore_secrets {
    struct crypto_bytes master_secret;
    struct crypto_bytes master_salt;
    struct crypto_bytes id_context;
    struct crypto_bytes sender_id;
    struct crypto_bytes recipient_id;
};

/** A security context: 62 bytes that are worth keeping over a deep sleep. */
struct oscore_context {
    uint8_t sender_key[CRYPTO_KEY];
    uint8_t recipient_key[CRYPTO_KEY];
    uint8_t common_iv[CRYPTO_NONCE];
    uint8_t sender_id_length;
    uint8_t sender_id[OSCORE_ID_MAX];
    uint8_t recipient_id_length;
    uint8_t recipient_id[OSCORE_ID_MAX];
};

/** False: an id is too long, or the port's HKDF failed. */
bool oscore_derive(const struct oscore_secrets *secrets, const struct crypto *crypto, struct oscore_context *context);

/** A request that waits for its response. */
struct oscore_request {
    uint32_t sequence;
    uint16_t message_id;
    uint8_t token[COAP_TOKEN_MAX];
    uint8_t token_length;
};

/** What goes inside: the Echo option is left out when it has no length. */
struct oscore_inner {
    uint8_t code;
    /** One segment of a path, or none when it has no length. */
    struct crypto_bytes path;
    /** -1 for none. */
    int16_t content_format;
    struct crypto_bytes echo;
    struct crypto_bytes payload;
};

/** Bytes that a protected request takes at most beyond its payload and Echo. */
enum { OSCORE_OVERHEAD_MAX = 64 };

/**
 * Writes a whole protected datagram.
 * @param request its numbers: `sequence` was never used before with this context
 * @param out room for the payload, the Echo and OSCORE_OVERHEAD_MAX
 * @return its length; 0: the port's encryption failed
 */
size_t oscore_protect(const struct oscore_context *context, const struct crypto *crypto, enum coap_type type,
                      const struct oscore_request *request, const struct oscore_inner *inner, uint8_t *out);

/** What a verified response says: the parts lie in the datagram, decrypted. */
struct oscore_response {
    uint8_t code;
    struct coap_span options;
    struct coap_span payload;
};

/**
 * Verifies a response to this very request, and decrypts it in place. False: it is not one, which says nothing: the request is
 * still waiting (a forged answer must not silence the device).
 */
bool oscore_verify(const struct oscore_context *context, const struct crypto *crypto,
                   const struct oscore_request *request, const struct coap_message *message, struct oscore_response *response);

#endif
