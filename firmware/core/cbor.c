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

struct cbor_head cbor_next(struct cbor_reader *in)
{
    struct cbor_head head = {0, false, 0};
    if (in->is_bad || in->at == in->end) goto bad;
    const unsigned first = *in->at++;
    const unsigned low = first & 31;
    head.type = (uint8_t)(first >> 5);
    head.value = low;
    if (low < 24) {
        head.is_null = first == ((unsigned)CBOR_SIMPLE << 5 | CBOR_NULL);
        return head;
    }
    /* Floating-point numbers, too, have these widths; nothing of ours is one. */
    const size_t width = (size_t)1 << (low - 24);
    if (low > 26 || (size_t)(in->end - in->at) < width) goto bad;
    head.value = 0;
    for (size_t i = 0; i < width; i++) head.value = head.value << 8 | *in->at++;
    return head;
bad:
    in->is_bad = true;
    return head;
}

static uint32_t expect(struct cbor_reader *in, unsigned type, uint32_t max)
{
    const struct cbor_head head = cbor_next(in);
    if (head.type != type || head.value > max) in->is_bad = true;
    return in->is_bad ? 0 : head.value;
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

const uint8_t *cbor_text(struct cbor_reader *in, uint32_t *length)
{
    *length = expect(in, CBOR_TEXT, (uint32_t)(in->end - in->at));
    const uint8_t *text = in->at;
    if (*length > (size_t)(in->end - in->at)) {
        in->is_bad = true;
        *length = 0;
    }
    in->at += *length;
    return text;
}

void cbor_skip(struct cbor_reader *in)
{
    /** Items that are left at each depth. */
    uint32_t left[DEPTH_MAX + 1] = {1};
    unsigned depth = 0;
    for (;;) {
        while (left[depth] == 0) {
            if (depth == 0) return;
            depth--;
        }
        left[depth]--;
        if (!in->is_bad && in->at < in->end && *in->at == 0xfb) {
            /* A double: eight bytes, the one width that is skipped without being read. */
            if (in->end - in->at < 9) break;
            in->at += 9;
            continue;
        }
        const struct cbor_head head = cbor_next(in);
        if (in->is_bad) return;
        if (head.type == CBOR_BYTES || head.type == CBOR_TEXT) {
            if (head.value > (size_t)(in->end - in->at)) break;
            in->at += head.value;
        } else if (head.type >= CBOR_ARRAY && head.type <= CBOR_TAG) {
            /* Every item takes a byte at least: a larger number is a lie, and would overflow when doubled. */
            if (depth == DEPTH_MAX || head.value > (size_t)(in->end - in->at)) {
                if (head.type != CBOR_TAG) break;
            }
            if (depth == DEPTH_MAX) break;
            left[++depth] = head.type == CBOR_TAG ? 1 : head.type == CBOR_MAP ? 2 * head.value : head.value;
        }
    }
    in->is_bad = true;
}

int cbor_key(struct cbor_reader *in, uint32_t *left, uint32_t known)
{
    while (*left > 0 && !in->is_bad) {
        (*left)--;
        const bool is_number = in->at < in->end && *in->at >> 5 == CBOR_UINT;
        uint32_t key = known;
        if (is_number)
            key = cbor_next(in).value;
        else
            cbor_skip(in);
        const bool is_null = in->at < in->end && *in->at == 0xf6;
        if (key < known && !is_null) return in->is_bad ? -1 : (int)key;
        cbor_skip(in);
    }
    return -1;
}
