/** NOT YET COMPILED with ESP-IDF: see firmware/README.md. */
#include "board.h"

#include <stdlib.h>
#include <string.h>

#include <driver/gpio.h>
#include <driver/temperature_sensor.h>
#include <esp_adc/adc_oneshot.h>
#include <esp_app_desc.h>
#include <esp_event.h>
#include <esp_log.h>
#include <esp_netif.h>
#include <esp_random.h>
#include <esp_rtc_time.h>
#include <esp_sleep.h>
#include <esp_timer.h>
#include <esp_wifi.h>
#include <freertos/FreeRTOS.h>
#include <freertos/event_groups.h>
#include <freertos/task.h>
#include <lwip/sockets.h>
#include <nvs.h>
#include <soc/soc_caps.h>

/** Wiring: firmware/README.md. */
enum { PIN_FORWARD = 6, PIN_REVERSE = 7, PIN_ENCODER = 4, PIN_BUTTON = 5 };
static const adc_channel_t ADC_BATTERY = ADC_CHANNEL_0;
static const adc_channel_t ADC_CURRENT = ADC_CHANNEL_1;
static const adc_channel_t ADC_HOPPER = ADC_CHANNEL_2;
enum { ADC_FULL_MV = 2500, ADC_STEPS = 4095 };
/** The divider of the battery, two to one; the shunt amplifier gives a volt for two amperes. */
enum { BATTERY_DIVIDER = 2, MA_PER_MV = 2, HOPPER_EMPTY_PCT = 3 };
enum { JOIN_MS = 600, SCAN_MS = 2500, BIT_JOINED = 1, BIT_FAILED = 2, SLEEP_MAX_MS = 3600000 };

static const char *TAG = "board";
static const char *const STORE_NAMES[STORE_KEYS] = {"seq", "record", "config", "gateways", "update"};

/** What lasts over a deep sleep: the core's, and the way back to the access point. */
static RTC_DATA_ATTR uint8_t retained[512];
static RTC_DATA_ATTR size_t retained_length;
static RTC_DATA_ATTR uint8_t access_point[6];
static RTC_DATA_ATTR uint8_t channel;

static adc_oneshot_unit_handle_t adc;
static temperature_sensor_handle_t thermometer;
static EventGroupHandle_t joined;
static volatile uint32_t pulses;
static uint32_t at_start;
static int udp = -1;
static bool has_wifi;

static void IRAM_ATTR on_pulse(void *context)
{
    (void)context;
    pulses++;
}

static uint32_t millivolts(adc_channel_t at)
{
    int raw = 0;
    adc_oneshot_read(adc, at, &raw);
    return (uint32_t)raw * ADC_FULL_MV / ADC_STEPS;
}

void board_init(void)
{
    const gpio_config_t outputs = {.pin_bit_mask = 1ull << PIN_FORWARD | 1ull << PIN_REVERSE,
                                   .mode = GPIO_MODE_OUTPUT,
                                   .pull_down_en = GPIO_PULLDOWN_ENABLE};
    const gpio_config_t inputs = {.pin_bit_mask = 1ull << PIN_ENCODER | 1ull << PIN_BUTTON,
                                  .mode = GPIO_MODE_INPUT,
                                  .pull_up_en = GPIO_PULLUP_ENABLE,
                                  .intr_type = GPIO_INTR_POSEDGE};
    const adc_oneshot_unit_init_cfg_t unit = {.unit_id = ADC_UNIT_1};
    const adc_oneshot_chan_cfg_t reading = {.atten = ADC_ATTEN_DB_12, .bitwidth = ADC_BITWIDTH_12};
    const temperature_sensor_config_t range = TEMPERATURE_SENSOR_CONFIG_DEFAULT(-10, 80);
    gpio_set_level(PIN_FORWARD, 0);
    gpio_set_level(PIN_REVERSE, 0);
    gpio_config(&outputs);
    gpio_config(&inputs);
    gpio_install_isr_service(0);
    gpio_isr_handler_add(PIN_ENCODER, on_pulse, NULL);
    adc_oneshot_new_unit(&unit, &adc);
    adc_oneshot_config_channel(adc, ADC_BATTERY, &reading);
    adc_oneshot_config_channel(adc, ADC_CURRENT, &reading);
    adc_oneshot_config_channel(adc, ADC_HOPPER, &reading);
    temperature_sensor_install(&range, &thermometer);
    temperature_sensor_enable(thermometer);
}

static bool read_blob(const char *space, const char *name, void *out, size_t *length)
{
    nvs_handle_t store;
    if (nvs_open(space, NVS_READONLY, &store) != ESP_OK) return false;
    const esp_err_t error = nvs_get_blob(store, name, out, length);
    nvs_close(store);
    return error == ESP_OK;
}

bool board_identity(struct feeder_settings *settings)
{
    size_t kid = sizeof settings->kid;
    size_t secret = sizeof settings->secret;
    size_t gateways = sizeof settings->gateways;
    feeder_defaults(settings);
    /* PROJECT_VER of CMakeLists.txt: a number. */
    settings->firmware = (uint32_t)strtoul(esp_app_get_description()->version, NULL, 10);
    return read_blob("identity", "kid", settings->kid, &kid) && kid == sizeof settings->kid &&
           read_blob("identity", "secret", settings->secret, &secret) && secret == sizeof settings->secret &&
           read_blob("identity", "gateways", &settings->gateways, &gateways) && gateways == sizeof settings->gateways &&
           settings->gateways.count > 0;
}

static uint32_t uptime_s(void *context)
{
    (void)context;
    return (uint32_t)(esp_rtc_get_time_us() / 1000000);
}

static uint32_t uptime_ms(void *context)
{
    (void)context;
    return (uint32_t)(esp_timer_get_time() / 1000);
}

static uint32_t random_number(void *context)
{
    (void)context;
    return esp_random();
}

static int get(void *context, enum store_key key, void *out, size_t size)
{
    nvs_handle_t store;
    size_t length = size;
    (void)context;
    const esp_err_t opened = nvs_open("feeder", NVS_READONLY, &store);
    if (opened != ESP_OK) return opened == ESP_ERR_NVS_NOT_FOUND ? PORT_ABSENT : PORT_FAILED;
    const esp_err_t error = nvs_get_blob(store, STORE_NAMES[key], out, &length);
    nvs_close(store);
    if (error == ESP_OK) return (int)length;
    return error == ESP_ERR_NVS_NOT_FOUND ? PORT_ABSENT : PORT_FAILED;
}

static bool put(void *context, enum store_key key, const void *value, size_t size)
{
    nvs_handle_t store;
    (void)context;
    if (nvs_open("feeder", NVS_READWRITE, &store) != ESP_OK) return false;
    const bool is_durable = nvs_set_blob(store, STORE_NAMES[key], value, size) == ESP_OK && nvs_commit(store) == ESP_OK;
    nvs_close(store);
    return is_durable;
}

static bool recall(void *context, void *out, size_t size)
{
    (void)context;
    if (esp_sleep_get_wakeup_cause() == ESP_SLEEP_WAKEUP_UNDEFINED || retained_length != size) return false;
    memcpy(out, retained, size);
    return true;
}

static void retain(void *context, const void *value, size_t size)
{
    (void)context;
    memcpy(retained, value, size);
    retained_length = size;
}

static void on_wifi(void *context, esp_event_base_t base, int32_t event, void *data)
{
    (void)context;
    (void)data;
    if (base == IP_EVENT && event == IP_EVENT_STA_GOT_IP) xEventGroupSetBits(joined, BIT_JOINED);
    if (base == WIFI_EVENT && event == WIFI_EVENT_STA_START) esp_wifi_connect();
    if (base == WIFI_EVENT && event == WIFI_EVENT_STA_DISCONNECTED) xEventGroupSetBits(joined, BIT_FAILED);
}

/** A fixed address, if one was flashed: DHCP costs more than the whole check-in. */
static void set_address(esp_netif_t *interface)
{
    esp_netif_ip_info_t address;
    size_t length = sizeof address;
    if (!read_blob("identity", "address", &address, &length) || length != sizeof address) return;
    esp_netif_dhcpc_stop(interface);
    esp_netif_set_ip_info(interface, &address);
}

/** The fast path (P1): known access point and channel, a key that needs no derivation, nothing written to flash. */
static bool join(void *context, bool may_scan)
{
    const wifi_init_config_t defaults = WIFI_INIT_CONFIG_DEFAULT();
    wifi_config_t config = {.sta = {.threshold = {.authmode = WIFI_AUTH_WPA2_PSK}}};
    wifi_ap_record_t found;
    size_t ssid = sizeof config.sta.ssid;
    size_t key = sizeof config.sta.password;
    (void)context;
    if (has_wifi) return true;
    if (!read_blob("identity", "ssid", config.sta.ssid, &ssid) || !read_blob("identity", "psk", config.sta.password, &key))
        return false;
    if (channel != 0 && !may_scan) {
        memcpy(config.sta.bssid, access_point, sizeof access_point);
        config.sta.bssid_set = true;
        config.sta.channel = channel;
    }
    joined = xEventGroupCreate();
    esp_netif_init();
    esp_event_loop_create_default();
    set_address(esp_netif_create_default_wifi_sta());
    esp_wifi_init(&defaults);
    esp_wifi_set_storage(WIFI_STORAGE_RAM);
    esp_event_handler_register(WIFI_EVENT, ESP_EVENT_ANY_ID, on_wifi, NULL);
    esp_event_handler_register(IP_EVENT, ESP_EVENT_ANY_ID, on_wifi, NULL);
    esp_wifi_set_mode(WIFI_MODE_STA);
    esp_wifi_set_config(WIFI_IF_STA, &config);
    esp_wifi_start();
    const bool is_first = channel == 0;
    const TickType_t patience = pdMS_TO_TICKS(may_scan || is_first ? SCAN_MS : JOIN_MS);
    const EventBits_t bits = xEventGroupWaitBits(joined, BIT_JOINED | BIT_FAILED, pdFALSE, pdFALSE, patience);
    if ((bits & BIT_JOINED) == 0) return false;
    if (esp_wifi_sta_get_ap_info(&found) == ESP_OK) {
        memcpy(access_point, found.bssid, sizeof access_point);
        channel = found.primary;
    }
    udp = socket(AF_INET, SOCK_DGRAM, 0);
    has_wifi = udp >= 0;
    return has_wifi;
}

static void send_datagram(void *context, const struct gateway *gateway, const uint8_t *datagram, size_t length)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(gateway->port)};
    (void)context;
    /* Addresses only: a name would have to be asked for in each wake. */
    if (inet_pton(AF_INET, gateway->host, &to.sin_addr) == 1)
        sendto(udp, datagram, length, 0, (struct sockaddr *)&to, sizeof to);
}

static void motor(void *context, enum motor_direction direction)
{
    static bool is_running;
    (void)context;
    if (!is_running) at_start = pulses;
    is_running = direction != MOTOR_OFF;
    gpio_set_level(PIN_FORWARD, 0);
    gpio_set_level(PIN_REVERSE, 0);
    if (direction == MOTOR_FORWARD) gpio_set_level(PIN_FORWARD, 1);
    if (direction == MOTOR_REVERSE) gpio_set_level(PIN_REVERSE, 1);
}

static uint8_t hopper_pct(void)
{
    const uint32_t pct = millivolts(ADC_HOPPER) * 100 / ADC_FULL_MV;
    return (uint8_t)(pct > 100 ? 100 : pct);
}

static void read_motor(void *context, struct motor_reading *reading)
{
    (void)context;
    *reading = (struct motor_reading){pulses - at_start, (uint16_t)(millivolts(ADC_CURRENT) * MA_PER_MV),
                                      (uint16_t)(millivolts(ADC_BATTERY) * BATTERY_DIVIDER), hopper_pct() < HOPPER_EMPTY_PCT};
}

static void sense(void *context, struct port_senses *senses)
{
    wifi_ap_record_t found = {.rssi = 0};
    float celsius = 0;
    (void)context;
    temperature_sensor_get_celsius(thermometer, &celsius);
    if (has_wifi) esp_wifi_sta_get_ap_info(&found);
    *senses = (struct port_senses){(uint16_t)(millivolts(ADC_BATTERY) * BATTERY_DIVIDER), (int16_t)(celsius * 10), found.rssi,
                                   hopper_pct()};
}

static void log_event(void *context, enum port_event event, uint32_t number)
{
    (void)context;
    ESP_LOGI(TAG, "event %d: %lu", event, (unsigned long)number);
}

void board_port(struct port *port)
{
    *port = (struct port){NULL, &crypto_psa, uptime_s, uptime_ms,     random_number, get,        put,   recall,
                          retain, join,      send_datagram,  motor, read_motor,    sense, log_event, &board_images};
}

bool board_woken_by_button(void)
{
    const esp_sleep_wakeup_cause_t cause = esp_sleep_get_wakeup_cause();
    return cause == ESP_SLEEP_WAKEUP_GPIO || cause == ESP_SLEEP_WAKEUP_EXT1;
}

size_t board_receive(uint8_t *out, size_t size, uint32_t ms)
{
    const struct timeval patience = {.tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000 + 1};
    if (udp < 0) {
        vTaskDelay(pdMS_TO_TICKS(ms) + 1);
        return 0;
    }
    setsockopt(udp, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    const int length = recv(udp, out, size, 0);
    return length > 0 ? (size_t)length : 0;
}

_Noreturn void board_sleep(uint32_t ms)
{
    motor(NULL, MOTOR_OFF);
    if (has_wifi) esp_wifi_stop();
#if SOC_GPIO_SUPPORT_DEEPSLEEP_WAKEUP
    esp_deep_sleep_enable_gpio_wakeup(1ull << PIN_BUTTON, ESP_GPIO_WAKEUP_GPIO_LOW);
#else
    esp_sleep_enable_ext1_wakeup(1ull << PIN_BUTTON, ESP_EXT1_WAKEUP_ANY_LOW);
#endif
    esp_deep_sleep((uint64_t)(ms > SLEEP_MAX_MS ? SLEEP_MAX_MS : ms) * 1000);
}
