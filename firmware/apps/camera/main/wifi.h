#ifndef PESEBRE_WIFI_H
#define PESEBRE_WIFI_H

#include <stdbool.h>

/** Joins the network that was flashed, and joins it again whenever it is lost. False: none was flashed, or it is not there. */
bool wifi_join(void);

#endif
