/** The three functions of crypto.h on PSA Crypto 1.0: mbedTLS 2.28 and later on a host, the chip's own engines under ESP-IDF. */
#include "../crypto.h"

#include <psa/crypto.h>

#define CCM_8 PSA_ALG_AEAD_WITH_SHORTENED_TAG(PSA_ALG_CCM, CRYPTO_TAG)

static bool hkdf(struct crypto_bytes salt, struct crypto_bytes secret, struct crypto_bytes info, uint8_t *out, size_t length)
{
    psa_key_derivation_operation_t operation = PSA_KEY_DERIVATION_OPERATION_INIT;
    const bool is_made =
        psa_crypto_init() == PSA_SUCCESS &&
        psa_key_derivation_setup(&operation, PSA_ALG_HKDF(PSA_ALG_SHA_256)) == PSA_SUCCESS &&
        psa_key_derivation_input_bytes(&operation, PSA_KEY_DERIVATION_INPUT_SALT, salt.data, salt.length) == PSA_SUCCESS &&
        psa_key_derivation_input_bytes(&operation, PSA_KEY_DERIVATION_INPUT_SECRET, secret.data, secret.length) ==
            PSA_SUCCESS &&
        psa_key_derivation_input_bytes(&operation, PSA_KEY_DERIVATION_INPUT_INFO, info.data, info.length) == PSA_SUCCESS &&
        psa_key_derivation_output_bytes(&operation, out, length) == PSA_SUCCESS;
    psa_key_derivation_abort(&operation);
    return is_made;
}

/** The key for one message: contexts live in our memory, since they outlast a deep sleep and PSA's keys do not. */
static bool import_key(const uint8_t *key, psa_key_usage_t usage, psa_key_id_t *id)
{
    psa_key_attributes_t attributes = PSA_KEY_ATTRIBUTES_INIT;
    psa_set_key_type(&attributes, PSA_KEY_TYPE_AES);
    psa_set_key_bits(&attributes, 8 * CRYPTO_KEY);
    psa_set_key_usage_flags(&attributes, usage);
    psa_set_key_algorithm(&attributes, CCM_8);
    return psa_crypto_init() == PSA_SUCCESS && psa_import_key(&attributes, key, CRYPTO_KEY, id) == PSA_SUCCESS;
}

static bool seal(const uint8_t *key, const uint8_t *nonce, struct crypto_bytes aad, uint8_t *data, size_t length)
{
    psa_key_id_t id = 0;
    size_t written = 0;
    if (!import_key(key, PSA_KEY_USAGE_ENCRYPT, &id)) return false;
    const psa_status_t status = psa_aead_encrypt(id, CCM_8, nonce, CRYPTO_NONCE, aad.data, aad.length, data, length, data,
                                                 length + CRYPTO_TAG, &written);
    psa_destroy_key(id);
    return status == PSA_SUCCESS && written == length + CRYPTO_TAG;
}

static bool open(const uint8_t *key, const uint8_t *nonce, struct crypto_bytes aad, uint8_t *data, size_t length)
{
    psa_key_id_t id = 0;
    size_t written = 0;
    if (length < CRYPTO_TAG || !import_key(key, PSA_KEY_USAGE_DECRYPT, &id)) return false;
    const psa_status_t status =
        psa_aead_decrypt(id, CCM_8, nonce, CRYPTO_NONCE, aad.data, aad.length, data, length, data, length, &written);
    psa_destroy_key(id);
    return status == PSA_SUCCESS && written == length - CRYPTO_TAG;
}

const struct crypto crypto_psa = {hkdf, seal, open};
