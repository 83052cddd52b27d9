/*
 * AES-CCM-16-64-128 (RFC 3610 with M = 8 and L = 2; COSE algorithm 10) for WebAssembly: one call seals or opens a whole message.
 * ccm.ts writes what goes in into `box` and reads there what came out.
 *
 * AES without branches and without addresses that depend on a secret: which instructions run, and which lines of the caches they
 * touch, is the same for every key and every message. The way is that of M. Hamburg, "Accelerating AES with Vector Permute
 * Instructions" (CHES 2009): a byte is k + i*s with k and i in GF(16), and its inverse is a few look-ups in tables of 16 bytes, each
 * of them one instruction for all 16 bytes of a block. The tables are computed from their definitions when the module starts.
 */
#include <stdint.h>
#include <wasm_simd128.h>

typedef v128_t block;

enum { BLOCK = 16, ROUNDS = 10, TAG = 8, AAD_MAX = 254, TEXT_MAX = 65535 };

/** What goes in and out; ccm.ts knows this layout. */
static struct {
  uint8_t key[BLOCK];
  /** Byte 0 and the last two are ours: flags, and length or counter (RFC 3610 sections 2.2 and 2.3). */
  uint8_t nonce[BLOCK];
  /** The first two bytes are ours: the length. */
  uint8_t aad[2 + AAD_MAX];
  /** The text and behind it the tag. Sealing and opening happen in place. */
  uint8_t text[TEXT_MAX + TAG + BLOCK];
} box __attribute__((aligned(BLOCK)));

/** First byte of B_0: additional data follow, M = 8, L = 2. */
static const uint8_t B0_FLAGS = 0x40 | ((TAG - 2) / 2) << 3 | 1;
static const uint8_t COUNTER_FLAGS = 1;

/** What is added by the S-box; it commutes with all that comes after it in a round, so that it is part of the round keys. */
static const uint8_t AFFINE = 0x63;

/* GF(16) is GF(2)[x]/(x^4 + x + 1); a byte here is k + i*s over it, s^2 = A*s + A, k its low four bits and i its high four. */
enum { A = 2 };
/** 1/0 and A/0: whatever is added to it, it is no index of a table, so that the look-up gives 0. */
static const uint8_t INFINITE = 0x80;

/** A linear map of bytes, by their low and high four bits; or of the two results of `inverse`. */
typedef struct {
  block low, high;
} map;

static block inverses, a_overs;
/** Orders of bytes. In memory as well: a constant one is put together by V8 each time anew, which takes a quarter more of all. */
static block rows_shifted, rows_next, rows_previous;
/** From the field as AES writes it to k + i*s. */
static map entry;
/** From what `inverse` finds to the output of the S-box without its constant, the same times 2, and the same as AES writes it. */
static map sbox, sbox_twice, sbox_last;

static block round_keys[ROUNDS + 1];

static uint8_t multiply16(uint8_t a, uint8_t b) {
  uint8_t product = 0;
  for (; b != 0; b >>= 1) {
    if (b & 1) product ^= a;
    a = (uint8_t)(a << 1 ^ (a & 8 ? 0x13 : 0));
  }
  return product;
}

static uint8_t inverse16(uint8_t a) {
  uint8_t b = 1;
  while (multiply16(a, b) != 1) b++;
  return b;
}

/** In GF(16)[s]. */
static uint8_t multiply256(uint8_t a, uint8_t b) {
  const uint8_t highs = multiply16(a >> 4, b >> 4);
  const uint8_t mixed = multiply16(a >> 4, b & 15) ^ multiply16(a & 15, b >> 4);
  const uint8_t lows = multiply16(a & 15, b & 15);
  return (uint8_t)((mixed ^ multiply16(highs, A)) << 4 | (lows ^ multiply16(highs, A)));
}

/** Times x in the field as AES writes it (FIPS 197 section 4.2.1). */
static uint8_t twice(uint8_t a) {
  return (uint8_t)(a << 1 ^ (a & 0x80 ? 0x1b : 0));
}

static uint8_t rotate(uint8_t a, int by) {
  return (uint8_t)(a << by | a >> (8 - by));
}

/** The S-box after the inverse, without its constant (section 5.1.1). */
static uint8_t affine(uint8_t a) {
  return a ^ rotate(a, 1) ^ rotate(a, 2) ^ rotate(a, 3) ^ rotate(a, 4);
}

/** x of the field as AES writes it: a root of AES's polynomial x^8 + x^4 + x^3 + x + 1. */
static uint8_t find_x(void) {
  for (uint8_t x = 2;; x++) {
    const uint8_t x2 = multiply256(x, x), x3 = multiply256(x2, x), x4 = multiply256(x2, x2);
    if ((multiply256(x4, x4) ^ x4 ^ x3 ^ x ^ 1) == 0) return x;
  }
}

/** Computes the tables. */
__attribute__((export_name("begin"))) void begin(void) {
  uint8_t to[256], from[256];
  const uint8_t x = find_x();
  for (int a = 0; a < 256; a++) {
    uint8_t image = 0;
    for (int bit = 7; bit >= 0; bit--) image = multiply256(image, x) ^ (a >> bit & 1);
    to[a] = image;
    from[image] = (uint8_t)a;
  }
  const uint8_t a1 = inverse16(A), a2 = multiply16(a1, a1);
  for (uint8_t n = 0; n < 16; n++) {
    ((uint8_t *)&rows_shifted)[n] = n * 5 & 15;
    ((uint8_t *)&rows_next)[n] = (n & 12) | ((n + 1) & 3);
    ((uint8_t *)&rows_previous)[n] = (n & 12) | ((n + 3) & 3);
    const uint8_t inverse = n == 0 ? 0 : inverse16(n);
    ((uint8_t *)&inverses)[n] = n == 0 ? INFINITE : inverse;
    ((uint8_t *)&a_overs)[n] = n == 0 ? INFINITE : multiply16(A, inverse);
    ((uint8_t *)&entry.low)[n] = to[n];
    ((uint8_t *)&entry.high)[n] = to[n << 4];
    // See `inverse`: 1/(k + i*s) = u + s*(u/A + (u + v)/A^2), and n is 1/u or 1/v.
    const uint8_t of_u = affine(from[multiply16(inverse, a1 ^ a2) << 4 | inverse]);
    const uint8_t of_v = affine(from[multiply16(inverse, a2) << 4]);
    ((uint8_t *)&sbox.low)[n] = to[of_u];
    ((uint8_t *)&sbox.high)[n] = to[of_v];
    ((uint8_t *)&sbox_twice.low)[n] = to[twice(of_u)];
    ((uint8_t *)&sbox_twice.high)[n] = to[twice(of_v)];
    ((uint8_t *)&sbox_last.low)[n] = of_u;
    ((uint8_t *)&sbox_last.high)[n] = of_v;
  }
}

static inline block look_up(block table, block indexes) {
  return wasm_i8x16_swizzle(table, indexes);
}

static inline block apply(map m, block low, block high) {
  return look_up(m.low, low) ^ look_up(m.high, high);
}

static inline block low_bits(block bytes) {
  return bytes & wasm_u8x16_const_splat(15);
}

static inline block high_bits(block bytes) {
  return wasm_u8x16_shr(bytes, 4);
}

static inline block enter(block bytes) {
  return apply(entry, low_bits(bytes), high_bits(bytes));
}

/**
 * The inverse of k + i*s in two parts: 1/u and 1/v, with N = k^2 + A*i*k + A*i^2, u = (k + A*i)/N and v = (k + A*(i + k))/N. The
 * inverse itself is (k + A*i + i*s)/N; what comes next looks it up by these two.
 */
static inline void inverse(block bytes, block *u, block *v) {
  const block i = high_bits(bytes), k = low_bits(bytes), j = i ^ k;
  const block a_over_k = look_up(a_overs, k);
  *u = look_up(inverses, look_up(inverses, i) ^ a_over_k) ^ j;
  *v = look_up(inverses, look_up(inverses, j) ^ a_over_k) ^ i;
}

static inline block shift_rows(block b) {
  return look_up(b, rows_shifted);
}

/** Each byte becomes the next one of its column. */
static inline block next_row(block b) {
  return look_up(b, rows_next);
}

static inline block previous_row(block b) {
  return look_up(b, rows_previous);
}

/** One round (FIPS 197 section 5.1): 2*a + 3*b + c + d for a column a, b, c, d is t(a) + t(b) + d with t(a) = 2*a + b. */
static inline block round_of(block state, block key) {
  block u, v;
  inverse(shift_rows(state), &u, &v);
  const block once = apply(sbox, u, v);
  const block t = apply(sbox_twice, u, v) ^ next_row(once);
  return t ^ next_row(t) ^ previous_row(once) ^ key;
}

static inline block last_round_of(block state) {
  block u, v;
  inverse(shift_rows(state), &u, &v);
  return apply(sbox_last, u, v) ^ round_keys[ROUNDS];
}

/** Encrypts two blocks: while one waits for its look-ups, the other's run. Not unrolled, so that V8 keeps the tables in registers. */
static inline void encrypt_two(block *one, block *other) {
  block a = enter(*one ^ round_keys[0]), b = enter(*other ^ round_keys[0]);
#pragma clang loop unroll(disable)
  for (int round = 1; round < ROUNDS; round++) {
    a = round_of(a, round_keys[round]);
    b = round_of(b, round_keys[round]);
  }
  *one = last_round_of(a);
  *other = last_round_of(b);
}

static inline block encrypt(block one) {
  block a = enter(one ^ round_keys[0]);
#pragma clang loop unroll(disable)
  for (int round = 1; round < ROUNDS; round++) a = round_of(a, round_keys[round]);
  return last_round_of(a);
}

/** FIPS 197 section 5.2, for every message anew: it takes less time than to fetch expanded keys of another device from memory. */
static void expand_key(void) {
  const block zeros = wasm_u8x16_const_splat(0);
  block key = wasm_v128_load(box.key);
  uint8_t constant = 1;
  round_keys[0] = key;
  for (int round = 1; round <= ROUNDS; round++) {
    block u, v;
    const block entered = enter(key);
    inverse(wasm_i8x16_shuffle(entered, entered, 13, 14, 15, 12, 13, 14, 15, 12, 13, 14, 15, 12, 13, 14, 15, 12), &u, &v);
    const block word = apply(sbox_last, u, v) ^ wasm_u32x4_splat(0x01010101u * AFFINE ^ constant);
    key ^= wasm_i32x4_shuffle(zeros, key, 0, 4, 5, 6);
    key ^= wasm_i32x4_shuffle(zeros, key, 0, 0, 4, 5);
    key ^= word;
    const block with_affine = key ^ wasm_u8x16_splat(AFFINE);
    round_keys[round] = round == ROUNDS ? with_affine : enter(with_affine);
    constant = twice(constant);
  }
}

/** B_0, or the counter block A_n. */
static inline block place(uint8_t flags, uint32_t last) {
  block b = wasm_v128_load(box.nonce);
  b = wasm_i8x16_replace_lane(b, 0, flags);
  b = wasm_i8x16_replace_lane(b, 14, last >> 8);
  return wasm_i8x16_replace_lane(b, 15, last);
}

/** The first `length` bytes of a block, and zeros. At 16 and more the whole block. */
static inline block head(block b, uint32_t length) {
  const block indexes = wasm_u8x16_const(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
  return b & wasm_u8x16_lt(indexes, wasm_u8x16_splat(length < BLOCK ? length : BLOCK));
}

/**
 * Goes over the message once and returns its tag. Authentication is a chain of blocks, each of which waits for the one before; the
 * blocks of the key stream are made beside them, one ahead of the text.
 */
static inline block run(uint32_t length, uint32_t aad_length, int is_opening) {
  const uint32_t aad_end = 2 + aad_length;
  expand_key();
  box.aad[0] = (uint8_t)(aad_length >> 8);
  box.aad[1] = (uint8_t)aad_length;
  block mac = place(B0_FLAGS, length), mask = place(COUNTER_FLAGS, 0);
  encrypt_two(&mac, &mask);
  block stream = place(COUNTER_FLAGS, 1);
  mac ^= head(wasm_v128_load(box.aad), aad_end);
  encrypt_two(&mac, &stream);
  for (uint32_t at = BLOCK; at < aad_end; at += BLOCK)
    mac = encrypt(mac ^ head(wasm_v128_load(box.aad + at), aad_end - at));
  for (uint32_t at = 0; at < length; at += BLOCK) {
    const block in = wasm_v128_load(box.text + at), out = in ^ stream;
    wasm_v128_store(box.text + at, out);
    mac ^= head(is_opening ? out : in, length - at);
    if (at + BLOCK < length) {
      stream = place(COUNTER_FLAGS, at / BLOCK + 2);
      encrypt_two(&mac, &stream);
    } else {
      mac = encrypt(mac);
    }
  }
  return mac ^ mask;
}

/** Where `box` is. */
__attribute__((export_name("box"))) uint8_t *where(void) {
  return (uint8_t *)&box;
}

/** Encrypts `length` bytes of text, and puts the tag behind them. */
__attribute__((export_name("seal"))) void seal(uint32_t length, uint32_t aad_length) {
  const block tag = run(length, aad_length, 0);
  wasm_v128_store64_lane(box.text + length, tag, 0);
}

/** Decrypts `length` bytes of text. 1 if the tag behind them fits; else 0, and what the text is then nobody may see. */
__attribute__((export_name("open"))) int open_text(uint32_t length, uint32_t aad_length) {
  const uint64_t sent = (uint64_t)wasm_i64x2_extract_lane(wasm_v128_load64_zero(box.text + length), 0);
  const block tag = run(length, aad_length, 1);
  return sent == (uint64_t)wasm_i64x2_extract_lane(tag, 0);
}
