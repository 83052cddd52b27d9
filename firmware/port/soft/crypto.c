/**
 * The three functions of crypto.h in plain C, for tests and simulations on machines without PSA. Its AES looks tables up with
 * secret indices, which a neighbour could time: never on a device.
 */
#if defined(ESP_PLATFORM) || defined(PESEBRE_DEVICE)
#error "port/soft is for tests: a device has PSA"
#endif

#include "../crypto.h"

#include <string.h>

enum { BLOCK = 16, ROUNDS = 10, HASH = 32, HASH_BLOCK = 64 };

static uint8_t twice(uint8_t x)
{
    return (uint8_t)(x << 1 ^ (x >> 7) * 0x1b);
}

/** FIPS 197 section 5.1.1, made and not written down: the inverse by walking the generator 3 and its inverse. */
static void make_sbox(uint8_t *sbox)
{
    uint8_t p = 1;
    uint8_t q = 1;
    do {
        p = (uint8_t)(p ^ twice(p));
        q ^= (uint8_t)(q << 1);
        q ^= (uint8_t)(q << 2);
        q ^= (uint8_t)(q << 4);
        if ((q & 0x80) != 0) q ^= 0x09;
        const uint8_t x = (uint8_t)(q ^ (q << 1 | q >> 7) ^ (q << 2 | q >> 6) ^ (q << 3 | q >> 5) ^ (q << 4 | q >> 4));
        sbox[p] = x ^ 0x63;
    } while (p != 1);
    sbox[0] = 0x63;
}

struct aes {
    uint8_t sbox[256];
    uint8_t keys[BLOCK * (ROUNDS + 1)];
};

static void aes_init(struct aes *aes, const uint8_t *key)
{
    uint8_t round = 1;
    make_sbox(aes->sbox);
    memcpy(aes->keys, key, BLOCK);
    for (unsigned i = BLOCK; i < sizeof aes->keys; i += 4) {
        uint8_t word[4];
        memcpy(word, aes->keys + i - 4, 4);
        if (i % BLOCK == 0) {
            const uint8_t first = word[0];
            word[0] = aes->sbox[word[1]] ^ round;
            word[1] = aes->sbox[word[2]];
            word[2] = aes->sbox[word[3]];
            word[3] = aes->sbox[first];
            round = twice(round);
        }
        for (unsigned j = 0; j < 4; j++) aes->keys[i + j] = aes->keys[i + j - BLOCK] ^ word[j];
    }
}

static void aes_encrypt(const struct aes *aes, uint8_t *block)
{
    uint8_t next[BLOCK];
    for (unsigned i = 0; i < BLOCK; i++) block[i] ^= aes->keys[i];
    for (unsigned round = 1; round <= ROUNDS; round++) {
        for (unsigned i = 0; i < BLOCK; i++) next[i] = aes->sbox[block[(i + 4 * (i % 4)) % BLOCK]];
        for (unsigned c = 0; c < BLOCK && round < ROUNDS; c += 4) {
            const uint8_t all = next[c] ^ next[c + 1] ^ next[c + 2] ^ next[c + 3];
            const uint8_t first = next[c];
            for (unsigned i = 0; i < 4; i++)
                next[c + i] ^= all ^ twice(next[c + i] ^ (i < 3 ? next[c + i + 1] : first));
        }
        for (unsigned i = 0; i < BLOCK; i++) block[i] = next[i] ^ aes->keys[round * BLOCK + i];
    }
}

/** Adds bytes to a CBC-MAC, with zeros up to a whole block. */
static void mac_add(const struct aes *aes, uint8_t *mac, unsigned *at, const uint8_t *data, size_t length, bool is_last)
{
    for (size_t i = 0; i < length; i++) {
        mac[(*at)++] ^= data[i];
        if (*at == BLOCK) {
            aes_encrypt(aes, mac);
            *at = 0;
        }
    }
    if (is_last && *at > 0) {
        aes_encrypt(aes, mac);
        *at = 0;
    }
}

/** RFC 3610 with L = 2 and M = 8: the tag of a plaintext, not yet encrypted. */
static void ccm_mac(const struct aes *aes, const uint8_t *nonce, struct crypto_bytes aad, const uint8_t *data, size_t length,
                    uint8_t *mac)
{
    const uint8_t aad_length[2] = {(uint8_t)(aad.length >> 8), (uint8_t)aad.length};
    unsigned at = 0;
    mac[0] = (uint8_t)((aad.length > 0 ? 0x40 : 0) | (CRYPTO_TAG - 2) / 2 << 3 | 1);
    memcpy(mac + 1, nonce, CRYPTO_NONCE);
    mac[14] = (uint8_t)(length >> 8);
    mac[15] = (uint8_t)length;
    aes_encrypt(aes, mac);
    if (aad.length > 0) mac_add(aes, mac, &at, aad_length, 2, false);
    mac_add(aes, mac, &at, aad.data, aad.length, true);
    mac_add(aes, mac, &at, data, length, true);
}

static void ccm_block(const struct aes *aes, const uint8_t *nonce, unsigned counter, uint8_t *block)
{
    block[0] = 1;
    memcpy(block + 1, nonce, CRYPTO_NONCE);
    block[14] = (uint8_t)(counter >> 8);
    block[15] = (uint8_t)counter;
    aes_encrypt(aes, block);
}

static void ccm_crypt(const struct aes *aes, const uint8_t *nonce, uint8_t *data, size_t length)
{
    uint8_t block[BLOCK];
    for (size_t i = 0; i < length; i++) {
        if (i % BLOCK == 0) ccm_block(aes, nonce, (unsigned)(i / BLOCK + 1), block);
        data[i] ^= block[i % BLOCK];
    }
}

static bool seal(const uint8_t *key, const uint8_t *nonce, struct crypto_bytes aad, uint8_t *data, size_t length)
{
    struct aes aes;
    uint8_t mac[BLOCK];
    uint8_t block[BLOCK];
    aes_init(&aes, key);
    ccm_mac(&aes, nonce, aad, data, length, mac);
    ccm_crypt(&aes, nonce, data, length);
    ccm_block(&aes, nonce, 0, block);
    for (unsigned i = 0; i < CRYPTO_TAG; i++) data[length + i] = mac[i] ^ block[i];
    return true;
}

static bool open(const uint8_t *key, const uint8_t *nonce, struct crypto_bytes aad, uint8_t *data, size_t length)
{
    struct aes aes;
    uint8_t mac[BLOCK];
    uint8_t block[BLOCK];
    uint8_t difference = 0;
    if (length < CRYPTO_TAG) return false;
    length -= CRYPTO_TAG;
    aes_init(&aes, key);
    ccm_crypt(&aes, nonce, data, length);
    ccm_mac(&aes, nonce, aad, data, length, mac);
    ccm_block(&aes, nonce, 0, block);
    for (unsigned i = 0; i < CRYPTO_TAG; i++) difference |= data[length + i] ^ mac[i] ^ block[i];
    return difference == 0;
}

struct sha {
    uint32_t state[8];
    uint8_t block[HASH_BLOCK];
    uint32_t length;
};

/** FIPS 180-4 section 4.2.2. */
static const uint32_t K[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5, 0xd807aa98, 0x12835b01,
    0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc,
    0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da, 0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147,
    0x06ca6351, 0x14292967, 0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070, 0x19a4c116, 0x1e376c08,
    0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3, 0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208,
    0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

static uint32_t turn(uint32_t x, unsigned by)
{
    return x >> by | x << (32 - by);
}

static void sha_block(struct sha *sha)
{
    uint32_t w[64];
    uint32_t s[8];
    for (unsigned i = 0; i < 16; i++)
        w[i] = (uint32_t)sha->block[4 * i] << 24 | (uint32_t)sha->block[4 * i + 1] << 16 |
               (uint32_t)sha->block[4 * i + 2] << 8 | sha->block[4 * i + 3];
    for (unsigned i = 16; i < 64; i++)
        w[i] = (turn(w[i - 2], 17) ^ turn(w[i - 2], 19) ^ w[i - 2] >> 10) + w[i - 7] +
               (turn(w[i - 15], 7) ^ turn(w[i - 15], 18) ^ w[i - 15] >> 3) + w[i - 16];
    memcpy(s, sha->state, sizeof s);
    for (unsigned i = 0; i < 64; i++) {
        const uint32_t a = s[7] + (turn(s[4], 6) ^ turn(s[4], 11) ^ turn(s[4], 25)) + ((s[4] & s[5]) ^ (~s[4] & s[6])) + K[i] + w[i];
        const uint32_t b = (turn(s[0], 2) ^ turn(s[0], 13) ^ turn(s[0], 22)) + ((s[0] & s[1]) ^ (s[0] & s[2]) ^ (s[1] & s[2]));
        memmove(s + 1, s, 7 * sizeof s[0]);
        s[4] += a;
        s[0] = a + b;
    }
    for (unsigned i = 0; i < 8; i++) sha->state[i] += s[i];
}

static void sha_init(struct sha *sha)
{
    static const uint32_t start[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                      0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
    memcpy(sha->state, start, sizeof start);
    sha->length = 0;
}

static void sha_add(struct sha *sha, const uint8_t *data, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        sha->block[sha->length++ % HASH_BLOCK] = data[i];
        if (sha->length % HASH_BLOCK == 0) sha_block(sha);
    }
}

static void sha_end(struct sha *sha, uint8_t *hash)
{
    const uint32_t bits = sha->length * 8;
    const uint8_t one = 0x80;
    const uint8_t zero = 0;
    const uint8_t tail[8] = {0, 0, 0, 0, (uint8_t)(bits >> 24), (uint8_t)(bits >> 16), (uint8_t)(bits >> 8), (uint8_t)bits};
    sha_add(sha, &one, 1);
    while (sha->length % HASH_BLOCK != HASH_BLOCK - 8) sha_add(sha, &zero, 1);
    sha_add(sha, tail, 8);
    for (unsigned i = 0; i < HASH; i++) hash[i] = (uint8_t)(sha->state[i / 4] >> (24 - 8 * (i % 4)));
}

/** RFC 2104, of two parts, with a key of at most a block. */
static void hmac(struct crypto_bytes key, struct crypto_bytes first, struct crypto_bytes second, uint8_t *out)
{
    struct sha sha;
    uint8_t pad[HASH_BLOCK];
    for (unsigned i = 0; i < HASH_BLOCK; i++) pad[i] = (uint8_t)((i < key.length ? key.data[i] : 0) ^ 0x36);
    sha_init(&sha);
    sha_add(&sha, pad, sizeof pad);
    sha_add(&sha, first.data, first.length);
    sha_add(&sha, second.data, second.length);
    sha_end(&sha, out);
    for (unsigned i = 0; i < HASH_BLOCK; i++) pad[i] ^= 0x36 ^ 0x5c;
    sha_init(&sha);
    sha_add(&sha, pad, sizeof pad);
    sha_add(&sha, out, HASH);
    sha_end(&sha, out);
}

static bool hkdf(struct crypto_bytes salt, struct crypto_bytes secret, struct crypto_bytes info, uint8_t *out, size_t length)
{
    static const uint8_t one = 1;
    const struct crypto_bytes none = {NULL, 0};
    const struct crypto_bytes counter = {&one, 1};
    uint8_t key[HASH];
    uint8_t block[HASH];
    if (length > HASH || salt.length > HASH_BLOCK) return false;
    hmac(salt, secret, none, key);
    hmac((struct crypto_bytes){key, HASH}, info, counter, block);
    memcpy(out, block, length);
    return true;
}

const struct crypto crypto_soft = {hkdf, seal, open};
