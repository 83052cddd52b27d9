/** The forms of the golden messages that test/firmware/make-vectors.ts writes. Bytes in hexadecimal. */
#ifndef PESEBRE_VECTORS_TYPES_H
#define PESEBRE_VECTORS_TYPES_H

#include "../core/check_in.h"
#include "../core/ladder.h"

struct uplink_vector {
    const char *name;
    const char *cbor;
    struct uplink uplink;
};

struct downlink_vector {
    const char *name;
    const char *cbor;
    struct downlink downlink;
    struct config config;
    struct gateways gateways;
    struct release release;
};

struct refused_vector {
    const char *name;
    const char *cbor;
};

struct exchange_vector {
    const char *name;
    uint32_t sequence;
    int type;
    uint16_t message_id;
    const char *token;
    int16_t content_format;
    const char *payload;
    const char *request;
    const char *response;
    uint8_t response_code;
    const char *response_payload;
};

struct derivation_vector {
    const char *section;
    const char *master_secret;
    const char *master_salt;
    const char *id_context;
    const char *sender_id;
    const char *recipient_id;
    const char *sender_key;
    const char *recipient_key;
    const char *common_iv;
};

struct rfc_vector {
    const char *section;
    const char *context;
    const char *datagram;
    const char *ciphertext;
    const char *plaintext;
    uint32_t sequence;
    bool is_request;
};

struct ladder_step {
    /** 's'ent, 'a'cked, 'w'ant. */
    char what;
    int64_t at;
    uint32_t seq;
    uint32_t bytes;
    uint8_t target_fps;
    uint8_t max_fps;
    uint8_t max_level;
    uint8_t level;
    int32_t goodput;
    uint8_t in_flight;
    /** -1: not before an acknowledgement. */
    int64_t next_at;
};

struct ladder_vector {
    const char *name;
    struct ladder_want want;
    int64_t at;
    const struct ladder_step *steps;
    unsigned count;
};

struct frame_vector {
    const char *name;
    uint8_t level;
    uint32_t seq;
    uint64_t capture_us;
    const char *header;
};

#endif
