/** The gateway's side of OSCORE and of a check-in, as tests and simulations need it: written apart from the core. */
#ifndef PESEBRE_SERVER_H
#define PESEBRE_SERVER_H

#include "../core/check_in.h"
#include "../core/oscore.h"

/** A request that was verified: `body` lies in the datagram. */
struct server_request {
    struct oscore_request numbers;
    uint32_t sequence;
    struct crypto_bytes body;
    struct crypto_bytes echo;
};

/** @param device the device's own context: the same keys, from the other side */
bool server_open(const struct oscore_context *device, const struct crypto *crypto, uint8_t *datagram, size_t length,
                 struct server_request *request);

/** An answer under the request's nonce. @return its length */
size_t server_answer(const struct oscore_context *device, const struct crypto *crypto, const struct server_request *request,
                     uint8_t code, struct crypto_bytes echo, struct crypto_bytes body, uint8_t *out);

/** What an uplink said, as far as a gateway acts on it. */
struct server_uplink {
    uint32_t clock;
    uint32_t config_version;
    uint32_t interval_s;
    struct outcome outcomes[OUTCOMES_TOLD_MAX];
    uint8_t count;
    bool has_clock;
    bool is_unchanged;
    bool wants_no_answer;
    bool has_firmware;
    struct firmware_word firmware;
};

bool server_read(struct crypto_bytes body, struct server_uplink *uplink);

/** Writes a downlink. A configuration of `config`, and `release`, go out when they are not NULL. @return its length */
size_t server_write(const struct downlink *downlink, const struct config *config, const struct release *release, uint8_t *out,
                    size_t size);

#endif
