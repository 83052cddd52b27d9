#include "sleepers.h"

void sleepers_push(struct sleepers *sleepers, struct device *device)
{
    struct device **heap = sleepers->heap;
    unsigned at = sleepers->count++;
    while (at > 0 && heap[(at - 1) / 2]->wakes_ms > device->wakes_ms) {
        heap[at] = heap[(at - 1) / 2];
        at = (at - 1) / 2;
    }
    heap[at] = device;
}

struct device *sleepers_pop(struct sleepers *sleepers, uint64_t end_ms)
{
    struct device **heap = sleepers->heap;
    if (sleepers->count == 0 || heap[0]->wakes_ms >= end_ms) return NULL;
    struct device *first = heap[0];
    struct device *last = heap[--sleepers->count];
    unsigned at = 0;
    for (;;) {
        unsigned child = 2 * at + 1;
        if (child >= sleepers->count) break;
        if (child + 1 < sleepers->count && heap[child + 1]->wakes_ms < heap[child]->wakes_ms) child++;
        if (heap[child]->wakes_ms >= last->wakes_ms) break;
        heap[at] = heap[child];
        at = child;
    }
    heap[at] = last;
    return first;
}
