#include "digest.h"

#include <psa/crypto.h>

enum { AT_ONCE = 256, DIGEST = 32 };

bool psa_digest(digest_read read, void *context, uint32_t size, uint8_t *digest)
{
    psa_hash_operation_t operation = PSA_HASH_OPERATION_INIT;
    uint8_t bytes[AT_ONCE];
    size_t length = 0;
    bool is_good = psa_crypto_init() == PSA_SUCCESS && psa_hash_setup(&operation, PSA_ALG_SHA_256) == PSA_SUCCESS;
    for (uint32_t at = 0; is_good && at < size; at += AT_ONCE) {
        const size_t part = size - at < AT_ONCE ? size - at : AT_ONCE;
        is_good = read(context, at, bytes, part) && psa_hash_update(&operation, bytes, part) == PSA_SUCCESS;
    }
    is_good = is_good && psa_hash_finish(&operation, digest, DIGEST, &length) == PSA_SUCCESS && length == DIGEST;
    psa_hash_abort(&operation);
    return is_good;
}
