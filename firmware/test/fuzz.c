/**
 * libFuzzer on everything that reads what the network brings: CoAP, CBOR, the downlink, and a whole feeder that waits for an answer.
 * The first byte chooses; the crypto is left out in one of them, so that what is behind it is reached.
 */
#include <stdlib.h>
#include <string.h>

#include "../core/cbor.h"
#include "world.h"

static bool open_anything(const uint8_t *key, const uint8_t *nonce, struct crypto_bytes aad, uint8_t *data, size_t length)
{
    (void)key, (void)nonce, (void)aad, (void)data;
    return length >= CRYPTO_TAG;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct world world;
    static struct feeder feeder;
    struct coap_message message;
    struct downlink downlink;
    struct config config;
    struct gateways gateways;
    struct release release;
    if (size < 1 || size > FEEDER_DATAGRAM_MAX) return 0;
    const unsigned choice = data[0] % 4;
    /* A copy of its own, so that reading past the end is seen. */
    uint8_t *bytes = malloc(size);
    memcpy(bytes, data + 1, --size);
    if (choice == 0) {
        struct coap_span value;
        if (coap_read(bytes, size, &message)) coap_option(message.options, COAP_ECHO, &value);
    } else if (choice == 1) {
        struct cbor_reader in = {bytes, bytes + size, false, 0};
        cbor_skip(&in);
        if (in.at > in.end) abort();
    } else if (choice == 2) {
        if (downlink_read(bytes, size, &downlink, &config, &gateways, &release)) {
            if (downlink.count > COMMANDS_HEARD_MAX || (downlink.has_config && config.schedule.count > SCHEDULE_SLOTS_MAX)) abort();
            if (downlink.has_gateways && gateways.count > GATEWAYS_MAX) abort();
            if (downlink.has_release && (release.size == 0 || release.url[RELEASE_URL_MAX] != 0)) abort();
            struct meal meal;
            if (downlink.has_config) schedule_due(&config.schedule, 0, downlink.time | 1u << 30, &meal);
            if (downlink.has_config) schedule_wait(&config.schedule, downlink.time | 1u << 30, 300);
        }
    } else {
        struct crypto crypto = crypto_soft;
        world_init(&world);
        crypto.open = open_anything;
        world.port.crypto = &crypto;
        feeder_start(&feeder, &world.port, &world.settings);
        feeder_step(&feeder, NULL, 0);
        /* The token of the first request is 0: a datagram that the feeder would take for its answer, its inside as it comes. */
        uint8_t *answer = malloc(size + 16);
        memcpy(answer, "\x51\x44\x00\x00\x00\x90\xff", 7);
        memcpy(answer + 7, bytes, size);
        memset(answer + 7 + size, 0, 8);
        world.answer_length = 0;
        struct feeder_wait wait = feeder_step(&feeder, answer, size + 15);
        for (unsigned i = 0; i < 60 && wait.is_awake && !feeder.is_running; i++) {
            world.ms += wait.ms > 0 ? wait.ms : 1;
            wait = feeder_step(&feeder, NULL, 0);
        }
        /* Nothing that an answer says keeps it awake, but a portion. */
        if (wait.is_awake && !feeder.is_running) abort();
        free(answer);
    }
    free(bytes);
    return 0;
}
