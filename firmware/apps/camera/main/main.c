/**
 * The camera on ESP-IDF: MQTT with mutual TLS says when somebody watches; then JPEGs go to the relay over a WebSocket, two of them
 * unacknowledged at most, in the size that the link bears (core/ladder.c). It knows no address of the server: `hello` is answered by
 * `welcome`, and each `start` names where to. contract/src/camera.ts, relay.ts.
 * NOT YET COMPILED with ESP-IDF, and never run on a board: see firmware/README.md.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cJSON.h>
#include <esp_camera.h>
#include <esp_crt_bundle.h>
#include <esp_log.h>
#include <esp_system.h>
#include <esp_timer.h>
#include <esp_websocket_client.h>
#include <freertos/FreeRTOS.h>
#include <freertos/queue.h>
#include <freertos/task.h>
#include <mqtt_client.h>
#include <nvs.h>
#include <nvs_flash.h>

#include "core/ladder.h"
#include "wifi.h"

enum { TEXT_MAX = 1024, CREDENTIAL_MAX = 2048, TOPIC_MAX = 96, STREAM_ID_MAX = 33, SILENCE_MS = 15000, POLL_MS = 5, SEND_MS = 5000 };

/** What a message to the main task is: those of MQTT and of the relay come on other tasks. */
enum event_kind { EVENT_COMMAND, EVENT_ACK, EVENT_CLOSED, EVENT_READY };
struct event {
    enum event_kind kind;
    /** Of a command: JSON, freed by who takes it. */
    char *text;
    uint32_t seq;
};

struct stream {
    char id[STREAM_ID_MAX];
    bool is_running;
    /** One picture, then it ends. */
    bool is_snapshot;
    bool is_open;
    int64_t lease_ms;
    int64_t heard_ms;
    uint32_t seq;
    struct ladder ladder;
    esp_websocket_client_handle_t relay;
};

static const char *TAG = "camera";
static QueueHandle_t events;
static esp_mqtt_client_handle_t mqtt;
static char thing[40];
static struct stream stream;

/** Sizes of the ladder as the sensor knows them, and its quality number: lower is finer. */
static const struct {
    framesize_t size;
    uint8_t quality;
} sensor_levels[LADDER_LEVELS] = {
    {FRAMESIZE_QQVGA, 20}, {FRAMESIZE_HQVGA, 20}, {FRAMESIZE_QVGA, 24}, {FRAMESIZE_QVGA, 12}, {FRAMESIZE_CIF, 12}, {FRAMESIZE_VGA, 14},
};

static int64_t now_ms(void)
{
    return esp_timer_get_time() / 1000;
}

static void post(enum event_kind kind, const char *text, size_t length, uint32_t seq)
{
    struct event event = {kind, NULL, seq};
    if (length >= TEXT_MAX) return;
    if (text != NULL && (event.text = strndup(text, length)) == NULL) return;
    if (xQueueSend(events, &event, 0) != pdTRUE) free(event.text);
}

static void on_mqtt(void *context, esp_event_base_t base, int32_t id, void *data)
{
    const esp_mqtt_event_handle_t event = data;
    (void)context;
    (void)base;
    if (id == MQTT_EVENT_CONNECTED) post(EVENT_READY, NULL, 0, 0);
    /* A command is one small message; parts of a larger one are nobody's. */
    if (id == MQTT_EVENT_DATA && event->data_len == event->total_data_len)
        post(EVENT_COMMAND, event->data, (size_t)event->data_len, 0);
}

static void on_relay(void *context, esp_event_base_t base, int32_t id, void *data)
{
    const esp_websocket_event_data_t *event = data;
    unsigned long seq = 0;
    char text[32];
    (void)context;
    (void)base;
    if (id == WEBSOCKET_EVENT_CONNECTED) post(EVENT_ACK, NULL, 0, UINT32_MAX);
    if (id == WEBSOCKET_EVENT_DISCONNECTED || id == WEBSOCKET_EVENT_CLOSED) post(EVENT_CLOSED, NULL, 0, 0);
    if (id != WEBSOCKET_EVENT_DATA || event->data_len <= 0 || event->data_len >= (int)sizeof text) return;
    memcpy(text, event->data_ptr, (size_t)event->data_len);
    text[event->data_len] = 0;
    if (sscanf(text, "{\"ack\":%lu}", &seq) == 1) post(EVENT_ACK, NULL, 0, (uint32_t)seq);
}

static void publish(const char *format, const char *a, const char *b)
{
    char topic[TOPIC_MAX];
    char text[TEXT_MAX];
    snprintf(topic, sizeof topic, "cameras/%s/events", thing);
    snprintf(text, sizeof text, format, a, b);
    esp_mqtt_client_publish(mqtt, topic, text, 0, 1, 0);
}

/** Ends what runs; `reason` is one of contract/src/camera.ts. */
static void end_stream(const char *reason)
{
    if (!stream.is_running) return;
    stream.is_running = false;
    if (stream.relay != NULL) {
        esp_websocket_client_close(stream.relay, pdMS_TO_TICKS(1000));
        esp_websocket_client_destroy(stream.relay);
    }
    stream.relay = NULL;
    if (!stream.is_snapshot) publish("{\"event\":\"stopped\",\"streamId\":\"%s\",\"reason\":\"%s\"}", stream.id, reason);
}

static int number_of(const cJSON *message, const char *name, int otherwise)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(message, name);
    return cJSON_IsNumber(item) ? item->valueint : otherwise;
}

static const char *text_of(const cJSON *message, const char *name)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(message, name);
    return cJSON_IsString(item) && item->valuestring != NULL ? item->valuestring : "";
}

static void start_stream(const cJSON *message, bool is_snapshot)
{
    char uri[TEXT_MAX];
    const int level = number_of(message, "maxLevel", LADDER_LEVELS - 1);
    const struct ladder_want want = {
        (uint8_t)number_of(message, "targetFps", 1),
        (uint8_t)number_of(message, "maxFps", 1),
        (uint8_t)(level < LADDER_LEVELS ? level : LADDER_LEVELS - 1),
    };
    if (is_snapshot && stream.is_running) return;
    if (want.target_fps == 0 || want.max_fps == 0) return;
    end_stream("closed");
    memset(&stream, 0, sizeof stream);
    snprintf(stream.id, sizeof stream.id, "%s", text_of(message, "streamId"));
    snprintf(uri, sizeof uri, "%s?token=%s", text_of(message, "url"), text_of(message, "token"));
    const esp_websocket_client_config_t config = {
        .uri = uri,
        .crt_bundle_attach = esp_crt_bundle_attach,
        .disable_auto_reconnect = true,
        .network_timeout_ms = SEND_MS,
    };
    stream.is_running = true;
    stream.is_snapshot = is_snapshot;
    stream.heard_ms = now_ms();
    stream.lease_ms = stream.heard_ms + 1000ll * number_of(message, "lease", 60);
    ladder_begin(&stream.ladder, want, stream.heard_ms);
    /* A single picture may be as large as was asked for. */
    if (is_snapshot) stream.ladder.level = want.max_level;
    stream.relay = esp_websocket_client_init(&config);
    esp_websocket_register_events(stream.relay, WEBSOCKET_EVENT_ANY, on_relay, NULL);
    if (esp_websocket_client_start(stream.relay) != ESP_OK) {
        publish("{\"event\":\"error\",\"streamId\":\"%s\",\"message\":\"%s\"}", stream.id, "Cannot reach the relay");
        end_stream("closed");
    }
}

static void obey(const char *text)
{
    cJSON *message = cJSON_Parse(text);
    const char *command = text_of(message, "command");
    if (strcmp(command, "start") == 0) start_stream(message, false);
    if (strcmp(command, "snapshot") == 0) start_stream(message, true);
    if (strcmp(command, "stop") == 0 && strcmp(text_of(message, "streamId"), stream.id) == 0) end_stream("asked");
    cJSON_Delete(message);
}

/** Takes the newest picture and sends it: the header in a first fragment, the JPEG straight from the frame buffer. */
static void send_picture(void)
{
    uint8_t header[FRAME_HEADER];
    const uint8_t level = stream.ladder.level;
    sensor_t *sensor = esp_camera_sensor_get();
    sensor->set_framesize(sensor, sensor_levels[level].size);
    sensor->set_quality(sensor, sensor_levels[level].quality);
    camera_fb_t *picture = esp_camera_fb_get();
    if (picture == NULL) {
        publish("{\"event\":\"error\",\"streamId\":\"%s\",\"message\":\"%s\"}", stream.id, "The sensor gives no picture");
        end_stream("closed");
        return;
    }
    frame_header(header, level, ++stream.seq, (uint64_t)esp_timer_get_time());
    const int began = esp_websocket_client_send_bin_partial(stream.relay, (const char *)header, sizeof header, pdMS_TO_TICKS(SEND_MS));
    const int sent = began < 0 ? -1
                               : esp_websocket_client_send_cont_msg(stream.relay, (const char *)picture->buf, (int)picture->len,
                                                                    pdMS_TO_TICKS(SEND_MS));
    if (sent >= 0) esp_websocket_client_send_fin(stream.relay, pdMS_TO_TICKS(SEND_MS));
    ladder_sent(&stream.ladder, stream.seq, (uint32_t)(sizeof header + picture->len), now_ms());
    esp_camera_fb_return(picture);
    if (sent < 0) end_stream("closed");
}

static void on_ack(uint32_t seq)
{
    stream.heard_ms = now_ms();
    if (seq == UINT32_MAX) {
        stream.is_open = true;
        if (!stream.is_snapshot) publish("{\"event\":\"streaming\",\"streamId\":\"%s\"%s}", stream.id, "");
        return;
    }
    ladder_acked(&stream.ladder, seq, stream.heard_ms);
    if (stream.is_snapshot) end_stream("asked");
}

/** One turn of a stream: it ends by itself, whatever the server does. */
static void tend_stream(void)
{
    const int64_t now = now_ms();
    int64_t next;
    if (!stream.is_running) return;
    if (now >= stream.lease_ms) {
        end_stream("lease");
    } else if (now - stream.heard_ms >= SILENCE_MS) {
        end_stream("silent");
    } else if (stream.is_open && ladder_next(&stream.ladder, &next) && now >= next && !(stream.is_snapshot && stream.seq > 0)) {
        send_picture();
    }
}

/** A credential as it was flashed; it lives as long as the program. */
static char *credential(const char *name)
{
    nvs_handle_t store;
    size_t length = CREDENTIAL_MAX;
    char *text = malloc(CREDENTIAL_MAX);
    if (text == NULL || nvs_open("identity", NVS_READONLY, &store) != ESP_OK) return NULL;
    const esp_err_t error = nvs_get_str(store, name, text, &length);
    nvs_close(store);
    return error == ESP_OK ? text : NULL;
}

static bool start_mqtt(void)
{
    static char commands[TOPIC_MAX];
    const char *name = credential("thing");
    if (name == NULL) return false;
    snprintf(thing, sizeof thing, "%s", name);
    snprintf(commands, sizeof commands, "cameras/%s/commands", thing);
    const esp_mqtt_client_config_t config = {
        .broker = {.address = {.uri = credential("endpoint")}, .verification = {.certificate = credential("ca")}},
        .credentials = {.client_id = thing,
                        .authentication = {.certificate = credential("certificate"), .key = credential("key")}},
    };
    if (config.broker.address.uri == NULL || config.credentials.authentication.key == NULL) return false;
    mqtt = esp_mqtt_client_init(&config);
    esp_mqtt_client_register_event(mqtt, MQTT_EVENT_ANY, on_mqtt, NULL);
    return esp_mqtt_client_start(mqtt) == ESP_OK;
}

/** Pins of the ESP32-CAM (AI Thinker). */
static const camera_config_t sensor_config = {
    .pin_pwdn = 32,
    .pin_reset = -1,
    .pin_xclk = 0,
    .pin_sccb_sda = 26,
    .pin_sccb_scl = 27,
    .pin_d7 = 35,
    .pin_d6 = 34,
    .pin_d5 = 39,
    .pin_d4 = 36,
    .pin_d3 = 21,
    .pin_d2 = 19,
    .pin_d1 = 18,
    .pin_d0 = 5,
    .pin_vsync = 25,
    .pin_href = 23,
    .pin_pclk = 22,
    .xclk_freq_hz = 20000000,
    .pixel_format = PIXFORMAT_JPEG,
    .frame_size = FRAMESIZE_VGA,
    .jpeg_quality = 12,
    .fb_count = 2,
    .fb_location = CAMERA_FB_IN_PSRAM,
    .grab_mode = CAMERA_GRAB_LATEST,
};

void app_main(void)
{
    char topic[TOPIC_MAX];
    struct event event;
    events = xQueueCreate(16, sizeof event);
    if (nvs_flash_init() != ESP_OK || esp_camera_init(&sensor_config) != ESP_OK || !wifi_join() || !start_mqtt()) {
        ESP_LOGE(TAG, "Cannot start: not provisioned, or no sensor");
        vTaskDelay(pdMS_TO_TICKS(60000));
        esp_restart();
    }
    for (;;) {
        while (xQueueReceive(events, &event, pdMS_TO_TICKS(POLL_MS)) == pdTRUE) {
            if (event.kind == EVENT_COMMAND) obey(event.text);
            if (event.kind == EVENT_ACK) on_ack(event.seq);
            if (event.kind == EVENT_CLOSED) end_stream("closed");
            if (event.kind == EVENT_READY) {
                snprintf(topic, sizeof topic, "cameras/%s/commands", thing);
                esp_mqtt_client_subscribe(mqtt, topic, 1);
                publish("{\"event\":\"hello\",\"firmware\":\"%s\"%s}", "0.1.0", "");
            }
            free(event.text);
        }
        tend_stream();
    }
}
