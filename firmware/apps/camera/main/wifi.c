/** NOT YET COMPILED with ESP-IDF: see firmware/README.md. */
#include "wifi.h"

#include <string.h>

#include <esp_event.h>
#include <esp_netif.h>
#include <esp_wifi.h>
#include <freertos/FreeRTOS.h>
#include <freertos/event_groups.h>
#include <nvs.h>

enum { BIT_JOINED = 1, PATIENCE_MS = 20000 };

static EventGroupHandle_t joined;

static void on_wifi(void *context, esp_event_base_t base, int32_t event, void *data)
{
    (void)context;
    (void)data;
    if (base == IP_EVENT && event == IP_EVENT_STA_GOT_IP) xEventGroupSetBits(joined, BIT_JOINED);
    if (base == WIFI_EVENT && (event == WIFI_EVENT_STA_START || event == WIFI_EVENT_STA_DISCONNECTED)) esp_wifi_connect();
}

bool wifi_join(void)
{
    const wifi_init_config_t defaults = WIFI_INIT_CONFIG_DEFAULT();
    wifi_config_t config = {.sta = {.threshold = {.authmode = WIFI_AUTH_WPA2_PSK}}};
    size_t ssid = sizeof config.sta.ssid;
    size_t key = sizeof config.sta.password;
    nvs_handle_t store;
    if (nvs_open("identity", NVS_READONLY, &store) != ESP_OK) return false;
    const bool is_flashed = nvs_get_blob(store, "ssid", config.sta.ssid, &ssid) == ESP_OK &&
                            nvs_get_blob(store, "psk", config.sta.password, &key) == ESP_OK;
    nvs_close(store);
    if (!is_flashed) return false;
    joined = xEventGroupCreate();
    esp_netif_init();
    esp_event_loop_create_default();
    esp_netif_create_default_wifi_sta();
    esp_wifi_init(&defaults);
    esp_event_handler_register(WIFI_EVENT, ESP_EVENT_ANY_ID, on_wifi, NULL);
    esp_event_handler_register(IP_EVENT, ESP_EVENT_ANY_ID, on_wifi, NULL);
    esp_wifi_set_mode(WIFI_MODE_STA);
    esp_wifi_set_config(WIFI_IF_STA, &config);
    esp_wifi_start();
    return (xEventGroupWaitBits(joined, BIT_JOINED, pdFALSE, pdFALSE, pdMS_TO_TICKS(PATIENCE_MS)) & BIT_JOINED) != 0;
}
