/** The other slot of the flash, and what is fetched into it. NOT YET COMPILED with ESP-IDF: see firmware/README.md. */
#include <stdio.h>
#include <string.h>

#include <esp_crt_bundle.h>
#include <esp_http_client.h>
#include <esp_ota_ops.h>
#include <esp_partition.h>
#include <esp_system.h>

#include "board.h"
#include "port/psa/digest.h"

/** The watchdog bites after eight seconds. */
enum { CONNECT_MS = 3000, READ_MS = 200, WRITTEN_AT_ONCE = 16, RANGE_MAX = 32 };

static esp_http_client_handle_t http;
/** What a host that knows no ranges sends before what is wanted. */
static uint32_t ahead;

static void fetch(void *context, const char *url, uint32_t offset)
{
    const esp_http_client_config_t config = {.url = url, .timeout_ms = CONNECT_MS, .crt_bundle_attach = esp_crt_bundle_attach};
    char range[RANGE_MAX];
    (void)context;
    if (http != NULL) esp_http_client_cleanup(http);
    http = NULL;
    if (url == NULL) return;
    http = esp_http_client_init(&config);
    if (http == NULL) return;
    snprintf(range, sizeof range, "bytes=%lu-", (unsigned long)offset);
    if (offset > 0) esp_http_client_set_header(http, "Range", range);
    const bool is_there = esp_http_client_open(http, 0) == ESP_OK && esp_http_client_fetch_headers(http) >= 0;
    const int status = is_there ? esp_http_client_get_status_code(http) : 0;
    ahead = status == 200 ? offset : 0;
    esp_http_client_set_timeout_ms(http, READ_MS);
    if (status == 200 || status == 206) return;
    esp_http_client_cleanup(http);
    http = NULL;
}

static int fetched(void *context, uint8_t *out, size_t size)
{
    (void)context;
    if (http == NULL) return -1;
    const int length = esp_http_client_read(http, (char *)out, (int)(ahead > 0 && ahead < size ? ahead : size));
    if (length == -ESP_ERR_HTTP_EAGAIN) return 0;
    if (length <= 0) return -1;
    if (ahead == 0) return length;
    ahead -= (uint32_t)length;
    return 0;
}

static const esp_partition_t *other_slot(void)
{
    return esp_ota_get_next_update_partition(NULL);
}

/** In whole units of the flash's encryption; the last one is filled up. */
static bool write_image(void *context, uint32_t offset, const uint8_t *data, size_t length)
{
    const esp_partition_t *slot = other_slot();
    const size_t whole = length - length % WRITTEN_AT_ONCE;
    uint8_t last[WRITTEN_AT_ONCE];
    (void)context;
    if (slot == NULL || offset + length > slot->size) return false;
    if (offset % slot->erase_size == 0 && esp_partition_erase_range(slot, offset, slot->erase_size) != ESP_OK) return false;
    if (whole > 0 && esp_partition_write(slot, offset, data, whole) != ESP_OK) return false;
    if (whole == length) return true;
    memset(last, 0xff, sizeof last);
    memcpy(last, data + whole, length - whole);
    return esp_partition_write(slot, offset + whole, last, sizeof last) == ESP_OK;
}

static bool read_slot(void *context, uint32_t offset, void *out, size_t length)
{
    const esp_partition_t *slot = context;
    return esp_partition_read(slot, offset, out, length) == ESP_OK;
}

static bool digest_image(void *context, uint32_t size, uint8_t *digest)
{
    const esp_partition_t *slot = other_slot();
    (void)context;
    return slot != NULL && size <= slot->size && psa_digest(read_slot, (void *)slot, size, digest);
}

static bool choose(void *context, enum image_choice choice)
{
    (void)context;
    if (choice == IMAGE_KEEP) return esp_ota_mark_app_valid_cancel_rollback() == ESP_OK;
    /* Does not return unless there is nothing to go back to. */
    if (choice == IMAGE_REVERT) return esp_ota_mark_app_invalid_rollback_and_reboot() == ESP_OK;
    /* Looks at the image itself, too: its checksum and, with Secure Boot, its signature. */
    if (esp_ota_set_boot_partition(other_slot()) != ESP_OK) return false;
    esp_restart();
}

const struct port_images board_images = {fetch, fetched, write_image, digest_image, choose};
