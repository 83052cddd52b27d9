/** What feeder.c and link.c share. Not for others. */
#ifndef PESEBRE_FEEDER_PARTS_H
#define PESEBRE_FEEDER_PARTS_H

#include "feeder.h"

/** Seconds since 1970; 0: no clock. */
uint32_t feeder_now(const struct feeder *feeder);
uint32_t feeder_uptime(const struct feeder *feeder);
uint8_t feeder_battery_pct(const struct feeder *feeder);
struct circumstances feeder_circumstances(const struct feeder *feeder);

/** Makes `next` durable, and the record. False: it stays what it was. */
bool feeder_commit(struct feeder *feeder);

/** Makes one exchange, or decides that it is not worth one now. True: something was sent. */
bool feeder_say(struct feeder *feeder);
/** Takes a datagram, whatever it is. */
void feeder_hear(struct feeder *feeder, uint8_t *datagram, size_t length);
/** The window is over. */
void feeder_give_up(struct feeder *feeder);
/** Whether it is time for a check-in, and the network may be tried. */
bool feeder_is_due(const struct feeder *feeder);

/** What the store knows of another firmware. */
void feeder_load_update(struct feeder *feeder);
/** A verified answer tells of a release: it is fetched now, or not now. */
void feeder_offer(struct feeder *feeder, const struct release *release);
/** One step of a download. */
void feeder_fetch(struct feeder *feeder);
/** A verified answer came: what runs stays. */
void feeder_keep(struct feeder *feeder);
/** How long a new firmware may still go without an answer; UINT32_MAX: what runs is not on trial. */
uint32_t feeder_trial_left_s(const struct feeder *feeder);
/** Back to the firmware before. */
void feeder_revert(struct feeder *feeder);

#endif
