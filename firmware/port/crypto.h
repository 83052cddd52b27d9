/**
 * The cryptography of OSCORE with AES-CCM-16-64-128 and HKDF-SHA-256 (RFC 8613 section 3.2), as three functions of a port:
 * port/psa on devices, port/soft in tests.
 */
#ifndef PESEBRE_CRYPTO_H
#define PESEBRE_CRYPTO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { CRYPTO_KEY = 16, CRYPTO_NONCE = 13, CRYPTO_TAG = 8 };

struct crypto_bytes {
    const uint8_t *data;
    size_t length;
};

struct crypto {
    /** HKDF (RFC 5869) with SHA-256: `length` bytes, at most 32. False: it failed. */
    bool (*hkdf)(struct crypto_bytes salt, struct crypto_bytes secret, struct crypto_bytes info, uint8_t *out, size_t length);
    /** Encrypts `length` bytes in place and writes the tag of CRYPTO_TAG bytes behind them. False: it failed. */
    bool (*seal)(const uint8_t *key, const uint8_t *nonce, struct crypto_bytes aad, uint8_t *data, size_t length);
    /**
     * Decrypts `length` bytes in place, whose last CRYPTO_TAG are the tag. False: the tag is wrong, or it failed; then the bytes
     * are spoilt.
     */
    bool (*open)(const uint8_t *key, const uint8_t *nonce, struct crypto_bytes aad, uint8_t *data, size_t length);
};

/** port/psa: devices, and hosts with mbedTLS. */
extern const struct crypto crypto_psa;
/** port/soft: tests and simulations only. */
extern const struct crypto crypto_soft;

#endif
