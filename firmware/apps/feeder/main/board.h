/** The machine under a feeder: pins, radio, store, sleep. */
#ifndef PESEBRE_BOARD_H
#define PESEBRE_BOARD_H

#include "core/feeder.h"

/** Pins and sensors. The motor is off before anything else is done. */
void board_init(void);
/** Identity, secret and gateways as they were flashed. False: there are none. */
bool board_identity(struct feeder_settings *settings);
void board_port(struct port *port);
/** images.c: the two slots for firmware. */
extern const struct port_images board_images;
bool board_woken_by_button(void);
/** Waits for a datagram, or for the time to pass. @return its length, 0 for none */
size_t board_receive(uint8_t *out, size_t size, uint32_t ms);
/** Switches everything off. Does not return. */
_Noreturn void board_sleep(uint32_t ms);

#endif
