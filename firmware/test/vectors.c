/** contract/vectors and RFC 8613 Appendix C, against the core. */
#include "vectors.h"

#include "../core/oscore.h"
#include "check.h"

#ifndef TEST_CRYPTO
#define TEST_CRYPTO crypto_soft
#endif
#define COUNT(list) (sizeof(list) / sizeof((list)[0]))

static size_t unhex(const char *hex, uint8_t *out)
{
    size_t length = 0;
    for (; hex[0] != 0; hex += 2) {
        unsigned value = 0;
        for (unsigned i = 0; i < 2; i++) {
            const char c = hex[i];
            value = value * 16 + (unsigned)(c <= '9' ? c - '0' : c - 'a' + 10);
        }
        out[length++] = (uint8_t)value;
    }
    return length;
}

static bool is_hex(const uint8_t *bytes, size_t length, const char *hex)
{
    uint8_t expected[600];
    return unhex(hex, expected) == length && memcmp(bytes, expected, length) == 0;
}

static void test_uplinks(void)
{
    for (unsigned i = 0; i < COUNT(uplink_vectors); i++) {
        uint8_t body[UPLINK_MAX];
        const size_t length = uplink_write(&uplink_vectors[i].uplink, body, sizeof body);
        CHECK(is_hex(body, length, uplink_vectors[i].cbor), uplink_vectors[i].name);
    }
}

static void test_downlinks(void)
{
    uint8_t body[600];
    struct downlink downlink;
    struct config config;
    struct gateways gateways;
    struct release release;
    for (unsigned i = 0; i < COUNT(downlink_vectors); i++) {
        const struct downlink_vector *vector = &downlink_vectors[i];
        const size_t length = unhex(vector->cbor, body);
        if (!CHECK(downlink_read(body, length, &downlink, &config, &gateways, &release), vector->name)) continue;
        const struct downlink *said = &vector->downlink;
        CHECK(downlink.time == said->time && downlink.count == said->count && downlink.has_more == said->has_more &&
                  downlink.acked_upto == said->acked_upto && downlink.acked_meal == said->acked_meal &&
                  downlink.has_config == said->has_config && downlink.has_gateways == said->has_gateways &&
                  downlink.has_release == said->has_release,
              vector->name);
        for (unsigned j = 0; j < said->count; j++)
            CHECK(downlink.commands[j].n == said->commands[j].n && downlink.commands[j].grams == said->commands[j].grams &&
                      downlink.commands[j].ttl_s == said->commands[j].ttl_s,
                  vector->name);
        if (said->has_config) CHECK(memcmp(&config, &vector->config, sizeof config) == 0, vector->name);
        if (said->has_gateways) CHECK(memcmp(&gateways, &vector->gateways, sizeof gateways) == 0, vector->name);
        if (said->has_release) CHECK(memcmp(&release, &vector->release, sizeof release) == 0, vector->name);
        for (size_t cut = 1; cut < length; cut++)
            CHECK(!downlink_read(body, cut, &downlink, &config, &gateways, &release), "a downlink cut short");
    }
    for (unsigned i = 0; i < COUNT(refused_vectors); i++)
        CHECK(!downlink_read(body, unhex(refused_vectors[i].cbor, body), &downlink, &config, &gateways, &release),
              refused_vectors[i].name);
}

static void test_exchanges(void)
{
    uint8_t secret[16];
    uint8_t kid[5];
    static const uint8_t gateway[] = {'g'};
    struct oscore_context context;
    unhex(check_in_secret, secret);
    unhex(check_in_kid, kid);
    const struct oscore_secrets secrets = {
        .master_secret = {secret, sizeof secret},
        .id_context = {(const uint8_t *)check_in_gateway, strlen(check_in_gateway)},
        .sender_id = {kid, sizeof kid},
        .recipient_id = {gateway, sizeof gateway},
    };
    CHECK(oscore_derive(&secrets, &TEST_CRYPTO, &context), "derive");
    for (unsigned i = 0; i < COUNT(exchange_vectors); i++) {
        const struct exchange_vector *vector = &exchange_vectors[i];
        struct oscore_request request = {vector->sequence, vector->message_id, {0}, 0};
        uint8_t payload[300];
        uint8_t datagram[600];
        request.token_length = (uint8_t)unhex(vector->token, request.token);
        const struct oscore_inner inner = {
            .code = COAP_POST,
            .path = {(const uint8_t *)"u", 1},
            .content_format = vector->content_format,
            .payload = {payload, unhex(vector->payload, payload)},
        };
        size_t length = oscore_protect(&context, &TEST_CRYPTO, (enum coap_type)vector->type, &request, &inner, datagram);
        CHECK(is_hex(datagram, length, vector->request), vector->name);

        struct coap_message message;
        struct oscore_response response;
        length = unhex(vector->response, datagram);
        CHECK(coap_read(datagram, length, &message) &&
                  oscore_verify(&context, &TEST_CRYPTO, &request, &message, &response) &&
                  response.code == vector->response_code &&
                  is_hex(response.payload.data, response.payload.length, vector->response_payload),
              vector->name);

        /* Any flipped bit, any cut, and the answer to another request: not verified, and nothing read past the end. */
        for (size_t bit = 0; bit < 8 * length; bit++) {
            unhex(vector->response, datagram);
            datagram[bit / 8] ^= (uint8_t)(1 << bit % 8);
            const bool is_outer = bit / 8 < 4;
            CHECK(is_outer || !coap_read(datagram, length, &message) ||
                      !oscore_verify(&context, &TEST_CRYPTO, &request, &message, &response),
                  "a flipped bit");
        }
        for (size_t cut = 0; cut < length; cut++) {
            unhex(vector->response, datagram);
            CHECK(!coap_read(datagram, cut, &message) ||
                      !oscore_verify(&context, &TEST_CRYPTO, &request, &message, &response),
                  "cut short");
        }
        struct oscore_request other = request;
        other.sequence++;
        unhex(vector->response, datagram);
        CHECK(!coap_read(datagram, length, &message) || !oscore_verify(&context, &TEST_CRYPTO, &other, &message, &response),
              "another request's answer");
    }
}

/** The client's context of a section, in RFC 8613's vectors. */
static bool derive_rfc(const char *section, struct oscore_context *context)
{
    for (unsigned i = 0; i < COUNT(derivation_vectors); i++) {
        const struct derivation_vector *vector = &derivation_vectors[i];
        uint8_t bytes[5][16];
        const char *const hex[5] = {vector->master_secret, vector->master_salt, vector->id_context, vector->sender_id,
                                    vector->recipient_id};
        struct crypto_bytes parts[5];
        if (strcmp(vector->section, section) != 0) continue;
        for (unsigned j = 0; j < 5; j++) parts[j] = (struct crypto_bytes){bytes[j], unhex(hex[j], bytes[j])};
        const struct oscore_secrets secrets = {parts[0], parts[1], parts[2], parts[3], parts[4]};
        return oscore_derive(&secrets, &TEST_CRYPTO, context) &&
               CHECK(is_hex(context->sender_key, 16, vector->sender_key), section) &&
               CHECK(is_hex(context->recipient_key, 16, vector->recipient_key), section) &&
               CHECK(is_hex(context->common_iv, 13, vector->common_iv), section);
    }
    return false;
}

static void test_rfc(void)
{
    struct oscore_context context;
    for (unsigned i = 0; i < COUNT(derivation_vectors); i++)
        CHECK(derive_rfc(derivation_vectors[i].section, &context), derivation_vectors[i].section);
    for (unsigned i = 0; i < COUNT(rfc_vectors); i++) {
        const struct rfc_vector *vector = &rfc_vectors[i];
        uint8_t datagram[128];
        uint8_t made[128];
        struct coap_message message;
        struct oscore_response response;
        CHECK(derive_rfc(vector->context, &context), vector->section);
        const size_t length = unhex(vector->datagram, datagram);
        CHECK(coap_read(datagram, length, &message), vector->section);
        struct oscore_request request = {vector->sequence, message.id, {0}, (uint8_t)message.token.length};
        memcpy(request.token, message.token.data, message.token.length);
        if (vector->is_request) {
            /* GET /tv1. The outer Uri-Host of the appendix is not ours: what is protected is compared. */
            const struct oscore_inner inner = {.code = 1, .path = {(const uint8_t *)"tv1", 3}, .content_format = -1};
            const size_t whole = oscore_protect(&context, &TEST_CRYPTO, COAP_CON, &request, &inner, made);
            const size_t sealed = strlen(vector->ciphertext) / 2;
            CHECK(whole > sealed && is_hex(made + whole - sealed, sealed, vector->ciphertext), vector->section);
        } else {
            CHECK(oscore_verify(&context, &TEST_CRYPTO, &request, &message, &response) && response.code == 0x45 &&
                      response.payload.length == 12 && memcmp(response.payload.data, "Hello World!", 12) == 0,
                  vector->section);
        }
    }
}

/** design/wire.md section 1, Size: the largest of the ordinary check-ins. */
static void test_size(void)
{
    struct oscore_context context = {.sender_id_length = 5, .recipient_id_length = 1};
    struct uplink uplink = {
        .state = {.fields = {100, 4200, 450, -95, 12000}, .has = 0x1f},
        .has_state = true,
        .interval_s = 3600,
        .config_version = 65535,
        .has_config_version = true,
        .is_unchanged = true,
    };
    uint8_t body[UPLINK_MAX];
    uint8_t datagram[UPLINK_MAX + OSCORE_OVERHEAD_MAX];
    const struct oscore_request request = {0xffffff, 0xffff, {0xff}, 1};
    const struct oscore_inner inner = {
        .code = COAP_POST,
        .path = {(const uint8_t *)"u", 1},
        .content_format = COAP_CBOR,
        .payload = {body, uplink_write(&uplink, body, sizeof body)},
    };
    const size_t length = oscore_protect(&context, &TEST_CRYPTO, COAP_NON, &request, &inner, datagram);
    printf("largest ordinary check-in %u B of CoAP\n", (unsigned)length);
    CHECK(length <= 61, "an ordinary check-in is at most 61 bytes");

    struct outcome outcomes[OUTCOMES_TOLD_MAX];
    for (unsigned i = 0; i < OUTCOMES_TOLD_MAX; i++)
        outcomes[i] = (struct outcome){UINT32_MAX - i, 1, 65535, OUTCOME_IS_MEAL | OUTCOME_HAS_GRAMS | OUTCOME_REFUSED, 10};
    uplink.state.has = 0x7ff;
    for (unsigned i = 0; i < STATE_FIELDS; i++) uplink.state.fields[i] = INT32_MIN;
    uplink.outcomes = outcomes;
    uplink.count = OUTCOMES_TOLD_MAX;
    uplink.now = UINT32_MAX;
    uplink.clock = uplink.age_s = uplink.interval_s = uplink.config_version = UINT32_MAX;
    uplink.has_clock = uplink.has_age = uplink.wants_no_answer = uplink.has_firmware = true;
    uplink.firmware = (struct firmware_word){UINT32_MAX, UINT32_MAX, PROBLEM_ROLLED_BACK};
    CHECK(uplink_write(&uplink, body, sizeof body) > 0, "the largest of all fits");
    EQUAL(uplink_write(&uplink, body, 100), 0, "what does not fit is not sent cut short");
}

/** What `npx pesebre register --nvs` writes (cli/src/flash.ts). */
_Static_assert(sizeof(struct gateways) == 344 && offsetof(struct gateways, count) == 4 && offsetof(struct gateways, list) == 6 &&
                   sizeof(struct gateway) == 84 && offsetof(struct gateway, host) == 17 && offsetof(struct gateway, port) == 82,
               "places in the flash");

/** Case by case, step by step, what the TypeScript camera does. */
static void test_ladder(void)
{
    for (unsigned i = 0; i < COUNT(ladder_vectors); i++) {
        const struct ladder_vector *vector = &ladder_vectors[i];
        struct ladder ladder;
        ladder_begin(&ladder, vector->want, vector->at);
        for (unsigned j = 0; j < vector->count; j++) {
            const struct ladder_step *one = &vector->steps[j];
            int64_t next;
            if (one->what == 's') ladder_sent(&ladder, one->seq, one->bytes, one->at);
            if (one->what == 'a') ladder_acked(&ladder, one->seq, one->at);
            if (one->what == 'w')
                ladder_wants(&ladder, (struct ladder_want){one->target_fps, one->max_fps, one->max_level}, one->at);
            const bool may_send = ladder_next(&ladder, &next);
            CHECK(ladder.level == one->level && ladder.goodput == one->goodput && ladder.in_flight == one->in_flight &&
                      (may_send ? next : -1) == one->next_at,
                  vector->name);
        }
    }
    for (unsigned i = 0; i < COUNT(frame_vectors); i++) {
        uint8_t header[FRAME_HEADER];
        frame_header(header, frame_vectors[i].level, frame_vectors[i].seq, frame_vectors[i].capture_us);
        CHECK(is_hex(header, sizeof header, frame_vectors[i].header), frame_vectors[i].name);
    }
}

void test_vectors(void)
{
    test_ladder();
    test_uplinks();
    test_downlinks();
    test_exchanges();
    test_rfc();
    test_size();
}
