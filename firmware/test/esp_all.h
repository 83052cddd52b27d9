/**
 * What the ESP-IDF apps use of ESP-IDF 5, FreeRTOS, lwIP and Espressif's components, written by hand from their documentation so that
 * a compiler can look for typing errors. It says nothing of whether the real headers agree: test/esp-syntax.sh.
 */
#ifndef PESEBRE_ESP_ALL_H
#define PESEBRE_ESP_ALL_H

#include <arpa/inet.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/time.h>

#define ESP_PLATFORM 1
#define RTC_DATA_ATTR
#define IRAM_ATTR
#define SOC_GPIO_SUPPORT_DEEPSLEEP_WAKEUP 1
typedef int esp_err_t;
enum { ESP_OK = 0, ESP_ERR_NVS_NOT_FOUND = 0x1102 };
void esp_log(const char *tag, const char *format, ...) __attribute__((format(printf, 2, 3)));
#define ESP_LOGE(tag, ...) esp_log(tag, __VA_ARGS__)
#define ESP_LOGI(tag, ...) esp_log(tag, __VA_ARGS__)
_Noreturn void esp_restart(void);
uint32_t esp_random(void);
int64_t esp_timer_get_time(void);
uint64_t esp_rtc_get_time_us(void);

/* esp_ota_ops.h, esp_partition.h, esp_app_desc.h, esp_http_client.h */
typedef struct {
    uint32_t size;
    uint32_t erase_size;
} esp_partition_t;
typedef struct {
    char version[32];
} esp_app_desc_t;
const esp_app_desc_t *esp_app_get_description(void);
const esp_partition_t *esp_ota_get_next_update_partition(const esp_partition_t *from);
esp_err_t esp_ota_mark_app_valid_cancel_rollback(void);
esp_err_t esp_ota_mark_app_invalid_rollback_and_reboot(void);
esp_err_t esp_ota_set_boot_partition(const esp_partition_t *partition);
esp_err_t esp_partition_erase_range(const esp_partition_t *partition, size_t offset, size_t size);
esp_err_t esp_partition_write(const esp_partition_t *partition, size_t offset, const void *data, size_t size);
esp_err_t esp_partition_read(const esp_partition_t *partition, size_t offset, void *out, size_t size);
enum { ESP_ERR_HTTP_EAGAIN = 0x7007 };
typedef struct esp_http_client *esp_http_client_handle_t;
typedef struct {
    const char *url;
    int timeout_ms;
    esp_err_t (*crt_bundle_attach)(void *config);
} esp_http_client_config_t;
esp_http_client_handle_t esp_http_client_init(const esp_http_client_config_t *config);
esp_err_t esp_http_client_set_header(esp_http_client_handle_t client, const char *key, const char *value);
esp_err_t esp_http_client_set_timeout_ms(esp_http_client_handle_t client, int ms);
esp_err_t esp_http_client_open(esp_http_client_handle_t client, int length);
int64_t esp_http_client_fetch_headers(esp_http_client_handle_t client);
int esp_http_client_get_status_code(esp_http_client_handle_t client);
int esp_http_client_read(esp_http_client_handle_t client, char *out, int size);
esp_err_t esp_http_client_cleanup(esp_http_client_handle_t client);

esp_err_t esp_task_wdt_add(void *task);
esp_err_t esp_task_wdt_reset(void);
esp_err_t esp_crt_bundle_attach(void *config);

/* esp_sleep.h */
typedef enum { ESP_SLEEP_WAKEUP_UNDEFINED, ESP_SLEEP_WAKEUP_EXT1 = 3, ESP_SLEEP_WAKEUP_GPIO = 7 } esp_sleep_wakeup_cause_t;
enum { ESP_GPIO_WAKEUP_GPIO_LOW, ESP_EXT1_WAKEUP_ANY_LOW = 0 };
esp_sleep_wakeup_cause_t esp_sleep_get_wakeup_cause(void);
esp_err_t esp_deep_sleep_enable_gpio_wakeup(uint64_t pins, int mode);
esp_err_t esp_sleep_enable_ext1_wakeup(uint64_t pins, int mode);
_Noreturn void esp_deep_sleep(uint64_t us);

/* nvs.h, nvs_flash.h */
typedef uint32_t nvs_handle_t;
typedef enum { NVS_READONLY, NVS_READWRITE } nvs_open_mode_t;
esp_err_t nvs_flash_init(void);
esp_err_t nvs_open(const char *space, nvs_open_mode_t mode, nvs_handle_t *out);
esp_err_t nvs_get_blob(nvs_handle_t store, const char *key, void *out, size_t *length);
esp_err_t nvs_get_str(nvs_handle_t store, const char *key, char *out, size_t *length);
esp_err_t nvs_set_blob(nvs_handle_t store, const char *key, const void *value, size_t length);
esp_err_t nvs_commit(nvs_handle_t store);
void nvs_close(nvs_handle_t store);

/* driver/gpio.h, esp_adc/adc_oneshot.h, driver/temperature_sensor.h */
typedef int gpio_num_t;
typedef struct {
    uint64_t pin_bit_mask;
    int mode;
    int pull_up_en;
    int pull_down_en;
    int intr_type;
} gpio_config_t;
enum { GPIO_MODE_INPUT = 1, GPIO_MODE_OUTPUT = 2, GPIO_PULLUP_ENABLE = 1, GPIO_PULLDOWN_ENABLE = 1, GPIO_INTR_POSEDGE = 1 };
esp_err_t gpio_config(const gpio_config_t *config);
esp_err_t gpio_set_level(gpio_num_t pin, uint32_t level);
int gpio_get_level(gpio_num_t pin);
esp_err_t gpio_install_isr_service(int flags);
esp_err_t gpio_isr_handler_add(gpio_num_t pin, void (*handler)(void *), void *context);
typedef enum { ADC_CHANNEL_0, ADC_CHANNEL_1, ADC_CHANNEL_2 } adc_channel_t;
enum { ADC_UNIT_1, ADC_ATTEN_DB_12 = 3, ADC_BITWIDTH_12 = 12 };
typedef struct adc_oneshot_unit *adc_oneshot_unit_handle_t;
typedef struct {
    int unit_id;
} adc_oneshot_unit_init_cfg_t;
typedef struct {
    int atten;
    int bitwidth;
} adc_oneshot_chan_cfg_t;
esp_err_t adc_oneshot_new_unit(const adc_oneshot_unit_init_cfg_t *config, adc_oneshot_unit_handle_t *out);
esp_err_t adc_oneshot_config_channel(adc_oneshot_unit_handle_t unit, adc_channel_t channel, const adc_oneshot_chan_cfg_t *config);
esp_err_t adc_oneshot_read(adc_oneshot_unit_handle_t unit, adc_channel_t channel, int *raw);
typedef struct temperature_sensor *temperature_sensor_handle_t;
typedef struct {
    int range_min;
    int range_max;
} temperature_sensor_config_t;
#define TEMPERATURE_SENSOR_CONFIG_DEFAULT(min, max) {.range_min = (min), .range_max = (max)}
esp_err_t temperature_sensor_install(const temperature_sensor_config_t *config, temperature_sensor_handle_t *out);
esp_err_t temperature_sensor_enable(temperature_sensor_handle_t sensor);
esp_err_t temperature_sensor_get_celsius(temperature_sensor_handle_t sensor, float *out);

/* FreeRTOS */
typedef uint32_t TickType_t;
typedef uint32_t EventBits_t;
typedef int BaseType_t;
typedef struct event_group *EventGroupHandle_t;
typedef struct queue *QueueHandle_t;
enum { pdFALSE = 0, pdTRUE = 1 };
#define pdMS_TO_TICKS(ms) ((TickType_t)((ms) / 10))
EventGroupHandle_t xEventGroupCreate(void);
EventBits_t xEventGroupSetBits(EventGroupHandle_t group, EventBits_t bits);
EventBits_t xEventGroupWaitBits(EventGroupHandle_t group, EventBits_t bits, BaseType_t clear, BaseType_t all, TickType_t wait);
void vTaskDelay(TickType_t ticks);
QueueHandle_t xQueueCreate(uint32_t length, uint32_t size);
BaseType_t xQueueSend(QueueHandle_t queue, const void *item, TickType_t wait);
BaseType_t xQueueReceive(QueueHandle_t queue, void *item, TickType_t wait);

/* esp_event.h, esp_netif.h, esp_wifi.h */
typedef const char *esp_event_base_t;
extern esp_event_base_t IP_EVENT, WIFI_EVENT;
enum { ESP_EVENT_ANY_ID = -1, IP_EVENT_STA_GOT_IP = 0, WIFI_EVENT_STA_START = 2, WIFI_EVENT_STA_DISCONNECTED = 5 };
typedef void (*esp_event_handler_t)(void *context, esp_event_base_t base, int32_t id, void *data);
esp_err_t esp_event_loop_create_default(void);
esp_err_t esp_event_handler_register(esp_event_base_t base, int32_t id, esp_event_handler_t handler, void *context);
typedef struct esp_netif esp_netif_t;
typedef struct {
    uint32_t ip, netmask, gw;
} esp_netif_ip_info_t;
esp_err_t esp_netif_init(void);
esp_netif_t *esp_netif_create_default_wifi_sta(void);
esp_err_t esp_netif_dhcpc_stop(esp_netif_t *interface);
esp_err_t esp_netif_set_ip_info(esp_netif_t *interface, const esp_netif_ip_info_t *address);
typedef struct {
    int unused;
} wifi_init_config_t;
#define WIFI_INIT_CONFIG_DEFAULT() {0}
typedef struct {
    uint8_t ssid[32];
    uint8_t password[64];
    bool bssid_set;
    uint8_t bssid[6];
    uint8_t channel;
    struct {
        int authmode;
    } threshold;
} wifi_sta_config_t;
typedef union {
    wifi_sta_config_t sta;
} wifi_config_t;
typedef struct {
    uint8_t bssid[6];
    uint8_t primary;
    int8_t rssi;
} wifi_ap_record_t;
enum { WIFI_AUTH_WPA2_PSK = 3, WIFI_STORAGE_RAM = 1, WIFI_MODE_STA = 1, WIFI_IF_STA = 0 };
esp_err_t esp_wifi_init(const wifi_init_config_t *config);
esp_err_t esp_wifi_set_storage(int storage);
esp_err_t esp_wifi_set_mode(int mode);
esp_err_t esp_wifi_set_config(int interface, wifi_config_t *config);
esp_err_t esp_wifi_start(void);
esp_err_t esp_wifi_stop(void);
esp_err_t esp_wifi_connect(void);
esp_err_t esp_wifi_sta_get_ap_info(wifi_ap_record_t *out);

/* mqtt_client.h */
typedef struct esp_mqtt_client *esp_mqtt_client_handle_t;
enum { MQTT_EVENT_ANY = -1, MQTT_EVENT_CONNECTED = 1, MQTT_EVENT_DATA = 6 };
typedef struct {
    char *data;
    int data_len;
    int total_data_len;
} esp_mqtt_event_t;
typedef esp_mqtt_event_t *esp_mqtt_event_handle_t;
typedef struct {
    struct {
        struct {
            const char *uri;
        } address;
        struct {
            const char *certificate;
        } verification;
    } broker;
    struct {
        const char *client_id;
        struct {
            const char *certificate;
            const char *key;
        } authentication;
    } credentials;
} esp_mqtt_client_config_t;
esp_mqtt_client_handle_t esp_mqtt_client_init(const esp_mqtt_client_config_t *config);
esp_err_t esp_mqtt_client_register_event(esp_mqtt_client_handle_t client, int event, esp_event_handler_t handler, void *context);
esp_err_t esp_mqtt_client_start(esp_mqtt_client_handle_t client);
int esp_mqtt_client_subscribe(esp_mqtt_client_handle_t client, const char *topic, int qos);
int esp_mqtt_client_publish(esp_mqtt_client_handle_t client, const char *topic, const char *data, int length, int qos, int retain);

/* esp_websocket_client.h */
typedef struct esp_websocket_client *esp_websocket_client_handle_t;
typedef struct {
    const char *uri;
    esp_err_t (*crt_bundle_attach)(void *config);
    bool disable_auto_reconnect;
    int network_timeout_ms;
} esp_websocket_client_config_t;
typedef struct {
    const char *data_ptr;
    int data_len;
} esp_websocket_event_data_t;
enum { WEBSOCKET_EVENT_ANY = -1, WEBSOCKET_EVENT_CONNECTED = 1, WEBSOCKET_EVENT_DISCONNECTED, WEBSOCKET_EVENT_DATA, WEBSOCKET_EVENT_CLOSED };
esp_websocket_client_handle_t esp_websocket_client_init(const esp_websocket_client_config_t *config);
esp_err_t esp_websocket_register_events(esp_websocket_client_handle_t client, int event, esp_event_handler_t handler, void *context);
esp_err_t esp_websocket_client_start(esp_websocket_client_handle_t client);
esp_err_t esp_websocket_client_close(esp_websocket_client_handle_t client, TickType_t wait);
esp_err_t esp_websocket_client_destroy(esp_websocket_client_handle_t client);
int esp_websocket_client_send_bin_partial(esp_websocket_client_handle_t client, const char *data, int length, TickType_t wait);
int esp_websocket_client_send_cont_msg(esp_websocket_client_handle_t client, const char *data, int length, TickType_t wait);
int esp_websocket_client_send_fin(esp_websocket_client_handle_t client, TickType_t wait);

/* cJSON.h */
typedef struct cJSON {
    char *valuestring;
    int valueint;
} cJSON;
cJSON *cJSON_Parse(const char *text);
cJSON *cJSON_GetObjectItemCaseSensitive(const cJSON *object, const char *name);
int cJSON_IsNumber(const cJSON *item);
int cJSON_IsString(const cJSON *item);
void cJSON_Delete(cJSON *item);

/* esp_camera.h */
typedef enum { FRAMESIZE_QQVGA, FRAMESIZE_HQVGA, FRAMESIZE_QVGA, FRAMESIZE_CIF, FRAMESIZE_VGA } framesize_t;
enum { PIXFORMAT_JPEG = 4, CAMERA_FB_IN_PSRAM = 0, CAMERA_GRAB_LATEST = 1 };
typedef struct {
    int pin_pwdn, pin_reset, pin_xclk, pin_sccb_sda, pin_sccb_scl, pin_d7, pin_d6, pin_d5, pin_d4, pin_d3, pin_d2, pin_d1, pin_d0;
    int pin_vsync, pin_href, pin_pclk, xclk_freq_hz, pixel_format, frame_size, jpeg_quality;
    size_t fb_count;
    int fb_location, grab_mode;
} camera_config_t;
typedef struct {
    uint8_t *buf;
    size_t len;
} camera_fb_t;
typedef struct sensor sensor_t;
struct sensor {
    int (*set_framesize)(sensor_t *sensor, framesize_t size);
    int (*set_quality)(sensor_t *sensor, int quality);
};
esp_err_t esp_camera_init(const camera_config_t *config);
camera_fb_t *esp_camera_fb_get(void);
void esp_camera_fb_return(camera_fb_t *picture);
sensor_t *esp_camera_sensor_get(void);

#endif
