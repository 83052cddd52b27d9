#include "cbor.h"

#include <string.h>

enum { DEPTH_MAX = 4 };

void cbor_copy(struct cbor_writer *out, const void *data, size_t length)
{
    if (out->is_full || length > out->size - out->length) {
        out->is_full = true;
        return;
    }
    if (length > 0) memcpy(out->data + out->length, data, length);
    out->length += length;
}

void cbor_head(struct cbor_writer *out, enum cbor_type type, uint32_t value)
{
    uint8_t bytes[5];
    const unsigned width = value < 24 ? 0 : value < 0x100 ? 1 : value < 0x10000 ? 2 : 4;
    bytes[0] = (uint8_t)((unsigned)type << 5 | (width == 0 ? value : width == 4 ? 26 : 23 + width));
    for (unsigned i = 0; i < width; i++) bytes[width - i] = (uint8_t)(value >> (8 * i));
    cbor_copy(out, bytes, 1 + width);
}

void cbor_int(struct cbor_writer *out, int32_t value)
{
    if (value < 0)
        cbor_head(out, CBOR_NEGATIVE, (uint32_t)(-1 - value));
    else
        cbor_head(out, CBOR_UINT, (uint32_t)value);
}

void cbor_pair(struct cbor_writer *out, uint32_t key, uint32_t value)
{
    cbor_head(out, CBOR_UINT, key);
    cbor_head(out, CBOR_UINT, value);
}

void cbor_string(struct cbor_writer *out, enum cbor_type type, const void *data, size_t length)
{
    cbor_head(out, type, (uint32_t)length);
    cbor_copy(out, data, length);
}

uint32_t cbor_next(struct cbor_reader *in)
{
    if (!in->is_bad && in->at < in->end) {
        const unsigned first = *in->at++;
        uint32_t value = first & 31;
        in->type = (uint8_t)(first >> 5);
        if (value < 24) return value;
        const size_t width = (size_t)1 << (value & 3);
        /* Eight bytes are a double, which is skipped, or a number that is too large for us. */
        const bool is_known = value < 27 || first == 0xfb;
        if (is_known && (size_t)(in->end - in->at) >= width) {
            value = 0;
            for (size_t i = 0; i < width; i++) value = value << 8 | *in->at++;
            return value;
        }
    }
    in->is_bad = true;
    return 0;
}

static uint32_t expect(struct cbor_reader *in, unsigned type, uint32_t max)
{
    const uint32_t value = cbor_next(in);
    if (in->type != type || value > max) in->is_bad = true;
    return in->is_bad ? 0 : value;
}

uint32_t cbor_open(struct cbor_reader *in, enum cbor_type type, uint32_t max)
{
    return expect(in, type, max);
}

uint32_t cbor_uint(struct cbor_reader *in, uint32_t max)
{
    return expect(in, CBOR_UINT, max);
}

int32_t cbor_signed(struct cbor_reader *in, uint32_t max)
{
    if (!in->is_bad && in->at < in->end && *in->at >> 5 == CBOR_NEGATIVE)
        return -1 - (int32_t)expect(in, CBOR_NEGATIVE, max - 1);
    return (int32_t)expect(in, CBOR_UINT, max);
}

bool cbor_bool(struct cbor_reader *in)
{
    const uint32_t value = expect(in, CBOR_SIMPLE, CBOR_TRUE);
    if (value < CBOR_FALSE) in->is_bad = true;
    return value == CBOR_TRUE;
}

const uint8_t *cbor_string_at(struct cbor_reader *in, enum cbor_type type, uint32_t *length)
{
    *length = expect(in, type, UINT32_MAX);
    if (*length > (size_t)(in->end - in->at)) {
        in->is_bad = true;
        *length = 0;
    }
    in->at += *length;
    return in->at - *length;
}

static size_t rest(const struct cbor_reader *in)
{
    return (size_t)(in->end - in->at);
}

void cbor_skip(struct cbor_reader *in)
{
    /** Items that are left at each depth. */
    uint32_t left[DEPTH_MAX + 1] = {1};
    unsigned depth = 0;
    while (!in->is_bad) {
        if (left[depth] == 0) {
            if (depth-- == 0) return;
            continue;
        }
        left[depth]--;
        uint32_t value = cbor_next(in);
        if (in->type < CBOR_BYTES || in->type == CBOR_SIMPLE) continue;
        /* Every item takes a byte at least: a larger number is a lie, and would overflow when doubled. */
        if (in->type == CBOR_TAG) value = 1;
        if (value > rest(in)) in->is_bad = true;
        if (in->is_bad) return;
        if (in->type <= CBOR_TEXT) {
            in->at += value;
        } else if (depth == DEPTH_MAX) {
            in->is_bad = true;
        } else {
            left[++depth] = in->type == CBOR_MAP ? 2 * value : value;
        }
    }
}

int cbor_key(struct cbor_reader *in, uint32_t *left, uint32_t known)
{
    while (*left > 0 && !in->is_bad) {
        (*left)--;
        const bool is_number = in->at < in->end && *in->at >> 5 == CBOR_UINT;
        uint32_t key = known;
        if (is_number)
            key = cbor_next(in);
        else
            cbor_skip(in);
        const bool is_null = in->at < in->end && *in->at == 0xf6;
        if (key < known && !is_null) return in->is_bad ? -1 : (int)key;
        cbor_skip(in);
    }
    return -1;
}
