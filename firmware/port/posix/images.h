/** Two slots for the program itself, as files in the store's folder. An image is a program for this machine. */
#ifndef PESEBRE_POSIX_IMAGES_H
#define PESEBRE_POSIX_IMAGES_H

#include "../port.h"

/**
 * The boot loader: becomes the program in the slot that is to run, and returns in that. Until then slot 0 is what was started first.
 * @param words of `main`; the first is not needed
 */
void images_boot(const char *folder, char **words);

extern const struct port_images images_posix;

#endif
