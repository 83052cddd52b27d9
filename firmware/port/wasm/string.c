#include "include/string.h"

#include <stdint.h>

void *memmove(void *to, const void *from, size_t length)
{
    uint8_t *out = to;
    const uint8_t *in = from;
    if (out < in)
        for (size_t i = 0; i < length; i++) out[i] = in[i];
    else
        while (length-- > 0) out[length] = in[length];
    return to;
}

void *memcpy(void *to, const void *from, size_t length)
{
    return memmove(to, from, length);
}

void *memset(void *to, int byte, size_t length)
{
    uint8_t *out = to;
    for (size_t i = 0; i < length; i++) out[i] = (uint8_t)byte;
    return to;
}

int memcmp(const void *a, const void *b, size_t length)
{
    const uint8_t *x = a;
    const uint8_t *y = b;
    for (size_t i = 0; i < length; i++)
        if (x[i] != y[i]) return x[i] - y[i];
    return 0;
}

size_t strlen(const char *text)
{
    size_t length = 0;
    while (text[length] != 0) length++;
    return length;
}
