#include "fate.h"

bool fate_strikes(struct fate *fate, uint32_t chances)
{
    if (chances == 0 || fate->is_kind) return false;
    /* xorshift32: a number for each question. */
    uint32_t x = fate->seed;
    x ^= x << 13;
    x ^= x >> 17;
    x ^= x << 5;
    fate->seed = x;
    return (x >> 4) % 1000000 < chances;
}

void fate_step(struct fate *fate)
{
    if (!fate_strikes(fate, fate->chances.cut)) return;
    fate->power_cuts++;
    longjmp(fate->cut, 1);
}
