#include "../core/cbor.h"
#include "../core/coap.h"
#include "check.h"

static struct cbor_reader reader(const char *bytes, size_t length)
{
    return (struct cbor_reader){(const uint8_t *)bytes, (const uint8_t *)bytes + length, false, 0};
}
#define READER(bytes) reader(bytes, sizeof(bytes) - 1)

static void test_cbor_heads(void)
{
    static const struct {
        uint32_t value;
        size_t length;
        const char *bytes;
    } rows[] = {
        {0, 1, "\x00"},
        {23, 1, "\x17"},
        {24, 2, "\x18\x18"},
        {255, 2, "\x18\xff"},
        {256, 3, "\x19\x01\x00"},
        {65535, 3, "\x19\xff\xff"},
        {65536, 5, "\x1a\x00\x01\x00\x00"},
        {UINT32_MAX, 5, "\x1a\xff\xff\xff\xff"},
    };
    for (unsigned i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        uint8_t bytes[8];
        struct cbor_writer out = {bytes, sizeof bytes, 0, false};
        cbor_head(&out, CBOR_UINT, rows[i].value);
        CHECK(out.length == rows[i].length && memcmp(bytes, rows[i].bytes, out.length) == 0, "shortest form");
        struct cbor_reader in = reader(rows[i].bytes, rows[i].length);
        EQUAL(cbor_uint(&in, UINT32_MAX), rows[i].value, "reads back");
        CHECK(!in.is_bad, "whole");
        struct cbor_reader cut = reader(rows[i].bytes, rows[i].length - 1);
        cbor_uint(&cut, UINT32_MAX);
        CHECK(cut.is_bad, "cut short");
    }
    uint8_t bytes[2];
    struct cbor_writer full = {bytes, sizeof bytes, 0, false};
    cbor_head(&full, CBOR_UINT, 256);
    CHECK(full.is_full && full.length == 0, "what does not fit is not begun");
    struct cbor_writer out = {bytes, sizeof bytes, 0, false};
    cbor_int(&out, -45);
    CHECK(out.length == 2 && memcmp(bytes, "\x38\x2c", 2) == 0, "negative");
    struct cbor_reader in = READER("\x38\x2c");
    EQUAL(cbor_signed(&in, 100), -45, "negative read");
    struct cbor_reader beyond = READER("\x38\x64");
    cbor_signed(&beyond, 100);
    CHECK(beyond.is_bad, "below the limit");
}

static void test_cbor_skip(void)
{
    static const struct {
        const char *bytes;
        size_t length;
        bool is_good;
    } rows[] = {
        {"\x00", 1, true},
        {"\x83\x01\x02\x03", 4, true},
        {"\xa1\x01\x82\x01\x02", 5, true},
        {"\x65hello", 6, true},
        {"\xc1\x1a\x00\x00\x00\x01", 6, true},
        {"\xfb\x00\x00\x00\x00\x00\x00\x00\x00", 9, true},
        {"\xfa\x00\x00\x00\x00", 5, true},
        {"\x81\x81\x81\x81\x00", 5, true},
        {"\x81\x81\x81\x81\x81\x00", 6, false},
        {"\x9f\xff", 2, false},
        {"\x5f\xff", 2, false},
        {"\xba\xff\xff\xff\xff", 5, false},
        {"\x9a\xff\xff\xff\xff", 5, false},
        {"\x7a\xff\xff\xff\xff", 5, false},
        {"\x1b\x00\x00\x00\x00\x00\x00\x00\x01", 9, false},
        {"\x1c", 1, false},
        {"\x82\x01", 2, false},
        {"\xfb\x00", 2, false},
        {"", 0, false},
    };
    for (unsigned i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct cbor_reader in = reader(rows[i].bytes, rows[i].length);
        cbor_skip(&in);
        CHECK(in.is_bad == !rows[i].is_good && (in.is_bad || in.at == in.end), "skip");
    }
}

static void test_cbor_keys(void)
{
    /* {"x": 1, 2: null, 99: [1], 1: 7} */
    struct cbor_reader in = READER("\xa4\x61x\x01\x02\xf6\x18\x63\x81\x01\x01\x07");
    uint32_t left = cbor_open(&in, CBOR_MAP, 8);
    EQUAL(cbor_key(&in, &left, 3), 1, "only the known one that has a value");
    EQUAL(cbor_uint(&in, 9), 7, "its value");
    EQUAL(cbor_key(&in, &left, 3), -1, "no more");
    CHECK(!in.is_bad && in.at == in.end, "all read");
}

static void test_coap(void)
{
    static const struct {
        const char *bytes;
        size_t length;
        bool is_good;
        const char *why;
    } rows[] = {
        {"\x40\x01\x00\x01", 4, true, "bare request"},
        {"\x60\x00\x00\x01", 4, true, "empty ACK"},
        {"\x40\x01\x00", 3, false, "short header"},
        {"\x00\x01\x00\x01", 4, false, "version 0"},
        {"\x80\x01\x00\x01", 4, false, "version 2"},
        {"\x49\x01\x00\x01" "123456789", 13, false, "token of 9 bytes"},
        {"\x44\x01\x00\x01" "123", 7, false, "token cut short"},
        {"\x40\x01\x00\x01\xb1u", 6, true, "one option"},
        {"\x40\x01\x00\x01\xb2u", 6, false, "option past the end"},
        {"\x40\x01\x00\x01\xf0", 5, false, "delta 15"},
        {"\x40\x01\x00\x01\x0f", 5, false, "length 15"},
        {"\x40\x01\x00\x01\xd0", 5, false, "extended delta cut short"},
        {"\x40\x01\x00\x01\xe0\x00", 6, false, "wide delta cut short"},
        {"\x40\x01\x00\x01\xff", 5, false, "marker without payload"},
        {"\x40\x01\x00\x01\xffp", 6, true, "payload"},
    };
    for (unsigned i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        uint8_t bytes[32];
        struct coap_message message;
        memcpy(bytes, rows[i].bytes, rows[i].length);
        CHECK(coap_read(bytes, rows[i].length, &message) == rows[i].is_good, rows[i].why);
    }
    uint8_t bytes[400];
    const uint8_t value[300] = {1, 2, 3};
    size_t at = coap_write_header(bytes, COAP_NON, COAP_POST, 0x1234, (struct coap_span){(uint8_t *)"ab", 2});
    at += coap_write_option(bytes + at, 11, value, 12);
    at += coap_write_option(bytes + at, 252 - 11, value, 13);
    at += coap_write_option(bytes + at, 2048 - 252, value, 300);
    struct coap_message message;
    struct coap_span found;
    CHECK(coap_read(bytes, at, &message) && message.id == 0x1234 && message.type == COAP_NON, "what was written reads");
    CHECK(coap_option(message.options, 11, &found) && found.length == 12, "first option");
    CHECK(coap_option(message.options, 252, &found) && found.length == 13, "extended option");
    CHECK(coap_option(message.options, 2048, &found) && found.length == 300 && found.data[1] == 2, "wide option");
    CHECK(!coap_option(message.options, 12, &found), "absent option");
}

void test_codec(void)
{
    test_cbor_heads();
    test_cbor_skip();
    test_cbor_keys();
    test_coap();
}
