/**
 * How a camera chooses the size of its next picture: contract/src/ladder.ts in C, held to it by contract/vectors/ladder.json.
 * Times are milliseconds of one clock that does not step.
 */
#ifndef PESEBRE_LADDER_H
#define PESEBRE_LADDER_H

#include <stdbool.h>
#include <stdint.h>

enum { LADDER_LEVELS = 6, LADDER_WINDOW = 2, FRAME_HEADER = 16 };

struct ladder_level {
    uint16_t width;
    uint16_t height;
    /** What such a picture has on an ordinary day. */
    uint16_t bytes;
};

/** Smallest first. */
extern const struct ladder_level ladder_levels[LADDER_LEVELS];

/** What the relay wants: pictures a second below which a smaller size is chosen, never to be exceeded, and the largest level. */
struct ladder_want {
    uint8_t target_fps;
    uint8_t max_fps;
    uint8_t max_level;
};

struct ladder {
    struct ladder_want want;
    uint8_t level;
    uint8_t in_flight;
    bool has_acked;
    /** Estimated rate of the link, bytes a second; 0 while nothing is known. */
    int32_t goodput;
    /** Size of pictures against the table's, thousandths. */
    int32_t scale;
    int64_t changed_at;
    int64_t due_at;
    int64_t acked_at;
    int64_t least_delay;
    struct {
        uint32_t seq;
        uint32_t bytes;
        int64_t at;
    } flying[LADDER_WINDOW];
};

void ladder_begin(struct ladder *ladder, struct ladder_want want, int64_t now);
/** Somebody else watches, or in another quality. */
void ladder_wants(struct ladder *ladder, struct ladder_want want, int64_t now);
/** When a picture may be taken and sent. False: not before the next acknowledgement. */
bool ladder_next(const struct ladder *ladder, int64_t *at);
/** A picture went out; `bytes` is the whole message. Only while ladder_next says true. */
void ladder_sent(struct ladder *ladder, uint32_t seq, uint32_t bytes, int64_t now);
/** The relay has this picture, and so all before it. */
void ladder_acked(struct ladder *ladder, uint32_t seq, int64_t now);

/** Writes the 16 bytes before a JPEG: contract/src/frame.ts. */
void frame_header(uint8_t *out, uint8_t level, uint32_t seq, uint64_t capture_us);

#endif
