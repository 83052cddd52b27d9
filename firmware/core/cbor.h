/**
 * The subset of CBOR (RFC 8949) that crosses Pesebre's wire: integers of up to 32 bits, byte and text strings, arrays, maps,
 * booleans and null, all of definite length. Anything else is skipped or refused, never guessed at.
 */
#ifndef PESEBRE_CBOR_H
#define PESEBRE_CBOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Writes into a buffer of the caller's; what does not fit sets `is_full`, and nothing more is written. */
struct cbor_writer {
    uint8_t *data;
    size_t size;
    size_t length;
    bool is_full;
};

/** Major types, RFC 8949 section 3.1. */
enum cbor_type {
    CBOR_UINT = 0,
    CBOR_NEGATIVE = 1,
    CBOR_BYTES = 2,
    CBOR_TEXT = 3,
    CBOR_ARRAY = 4,
    CBOR_MAP = 5,
    CBOR_TAG = 6,
    CBOR_SIMPLE = 7,
};

/** Simple values as the `value` of a CBOR_SIMPLE head. */
enum { CBOR_FALSE = 20, CBOR_TRUE = 21, CBOR_NULL = 22 };

/** A head in its shortest form: `value` is the integer, the length, or the number of items or pairs. */
void cbor_head(struct cbor_writer *out, enum cbor_type type, uint32_t value);
void cbor_int(struct cbor_writer *out, int32_t value);
/** A key below 24 and an unsigned value: what most of a check-in is. */
void cbor_pair(struct cbor_writer *out, uint32_t key, uint32_t value);
void cbor_copy(struct cbor_writer *out, const void *data, size_t length);
void cbor_string(struct cbor_writer *out, enum cbor_type type, const void *data, size_t length);

/** Reads from a buffer that stays the caller's. The first thing that is wrong sets `is_bad`; all that follows reads as 0. */
struct cbor_reader {
    const uint8_t *at;
    const uint8_t *end;
    bool is_bad;
    /** Of the head that was read last: enum cbor_type. */
    uint8_t type;
};

/** The value of the next head. Integers of more than 32 bits, indefinite lengths and reserved forms are bad. */
uint32_t cbor_next(struct cbor_reader *in);
/** Opens a list or a map of at most `max` entries: how many there are. */
uint32_t cbor_open(struct cbor_reader *in, enum cbor_type type, uint32_t max);
/** An unsigned integer of at most `max`. */
uint32_t cbor_uint(struct cbor_reader *in, uint32_t max);
/** An integer between `-max` and `max`; `max` is below 2^31. */
int32_t cbor_signed(struct cbor_reader *in, uint32_t max);
bool cbor_bool(struct cbor_reader *in);
/** A byte or text string: where it is in the buffer, not ended by a zero. */
const uint8_t *cbor_string_at(struct cbor_reader *in, enum cbor_type type, uint32_t *length);
/** Leaves out one item, whatever it is; nesting of more than four is bad. */
void cbor_skip(struct cbor_reader *in);
/** The next entry's key, and whether it has a value; entries of unknown keys and of null are left out. -1 when none is left. */
int cbor_key(struct cbor_reader *in, uint32_t *left, uint32_t known);

#endif
