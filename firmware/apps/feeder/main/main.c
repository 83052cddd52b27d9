/**
 * The feeder on ESP-IDF: wakes, steps the core until it may sleep, and sleeps deeply. All that decides is in core/.
 * NOT YET COMPILED with ESP-IDF, and never run on a board: see firmware/README.md.
 */
#include <esp_log.h>
#include <esp_sleep.h>
#include <esp_task_wdt.h>
#include <nvs_flash.h>

#include "board.h"

static const char *TAG = "feeder";

void app_main(void)
{
    /* About 4 kB: not on the stack of the main task. */
    static struct feeder feeder;
    static struct feeder_settings settings;
    static struct port port;
    static uint8_t datagram[FEEDER_DATAGRAM_MAX];

    esp_task_wdt_add(NULL);
    board_init();
    if (nvs_flash_init() != ESP_OK || !board_identity(&settings)) {
        ESP_LOGE(TAG, "Cannot read the identity: not provisioned");
        board_sleep(UINT32_MAX);
    }
    board_port(&port);
    const enum feeder_start started = feeder_start(&feeder, &port, &settings);
    if (started != FEEDER_STARTED) {
        ESP_LOGE(TAG, "Cannot start: %d", started);
        board_sleep(UINT32_MAX);
    }
    if (board_woken_by_button()) feeder_button(&feeder);

    size_t length = 0;
    for (;;) {
        const struct feeder_wait wait = feeder_step(&feeder, datagram, length);
        esp_task_wdt_reset();
        if (!wait.is_awake) board_sleep(wait.ms);
        length = board_receive(datagram, sizeof datagram, wait.ms);
    }
}
