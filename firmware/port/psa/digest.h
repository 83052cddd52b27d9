/** SHA-256 of what lies in a slot for firmware. */
#ifndef PESEBRE_PSA_DIGEST_H
#define PESEBRE_PSA_DIGEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Reads `length` bytes from `offset` on. False: it cannot. */
typedef bool (*digest_read)(void *context, uint32_t offset, void *out, size_t length);

/** @param digest 32 bytes. False: it cannot be read, or the cryptography failed */
bool psa_digest(digest_read read, void *context, uint32_t size, uint8_t *digest);

#endif
