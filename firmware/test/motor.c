#include "../core/motor.h"

#include "../core/feeder.h"
#include "check.h"

/** A mechanism: how it behaves from when on. */
struct mechanism {
    /** It blocks at this pulse, as often as `blocks` says; each reversal frees it. */
    uint32_t blocks_at;
    unsigned blocks;
    uint32_t empty_at;
    uint32_t weak_at;
    uint16_t stalled_ma;
};

/** Runs a portion, 10 ms for a pulse. @return how it ended; `took_ms` and the pulses that came */
static uint8_t portion(struct mechanism mechanism, uint32_t grams, uint32_t *took_ms, uint32_t *grams_told, unsigned *reversals)
{
    struct feeder_settings settings;
    struct motor motor;
    struct motor_reading reading = {0, 500, 3800, false};
    uint8_t direction;
    uint32_t now = 0xffffff00;
    const uint32_t start = now;
    feeder_defaults(&settings);
    motor_start(&motor, grams, now);
    *reversals = 0;
    for (;;) {
        now += 10;
        direction = motor.direction;
        const bool is_blocked = mechanism.blocks > 0 && reading.pulses == mechanism.blocks_at;
        if (direction == MOTOR_FORWARD && !is_blocked) reading.pulses++;
        reading.current_ma = is_blocked && mechanism.stalled_ma > 0 ? mechanism.stalled_ma : 500;
        reading.is_empty = mechanism.empty_at > 0 && reading.pulses >= mechanism.empty_at;
        reading.battery_mv = mechanism.weak_at > 0 && reading.pulses >= mechanism.weak_at ? 2900 : 3800;
        const uint8_t ended = motor_tick(&motor, &settings.motor, &reading, now);
        if (motor.direction == MOTOR_REVERSE && direction == MOTOR_FORWARD) {
            (*reversals)++;
            mechanism.blocks--;
        }
        *took_ms = now - start;
        *grams_told = motor_grams(&motor, &settings.motor);
        if (ended != 0) {
            CHECK(motor.direction == MOTOR_OFF, "off at the end");
            return ended;
        }
        if (!CHECK(*took_ms < 70000, "it ends")) return 0;
    }
}

void test_motor(void)
{
    uint32_t took = 0;
    uint32_t grams = 0;
    unsigned reversals = 0;
    EQUAL(portion((struct mechanism){0}, 500, &took, &grams, &reversals), OUTCOME_DONE, "done");
    CHECK(grams == 500 && took == 5000 && reversals == 0, "all of it");
    EQUAL(portion((struct mechanism){.blocks_at = 100, .blocks = 1}, 500, &took, &grams, &reversals), OUTCOME_DONE, "one jam");
    CHECK(grams == 500 && reversals == 1, "one reversal frees it");
    EQUAL(portion((struct mechanism){.blocks_at = 100, .blocks = 3}, 500, &took, &grams, &reversals), OUTCOME_JAMMED, "jammed");
    CHECK(grams == 100 && reversals == 2 && took < 4000, "twice, then off (F7)");
    EQUAL(portion((struct mechanism){.blocks_at = 100, .blocks = 9, .stalled_ma = 5000}, 500, &took, &grams, &reversals),
          OUTCOME_JAMMED, "too much current");
    CHECK(took < 3000, "sooner than by the pulses");
    EQUAL(portion((struct mechanism){.empty_at = 200}, 500, &took, &grams, &reversals), OUTCOME_PARTIAL, "the hopper is empty");
    EQUAL(grams, 200, "what came");
    EQUAL(portion((struct mechanism){.weak_at = 50}, 500, &took, &grams, &reversals), OUTCOME_PARTIAL, "the battery gives in");
    CHECK(grams < 100, "soon");
    EQUAL(portion((struct mechanism){0}, 9000, &took, &grams, &reversals), OUTCOME_JAMMED, "longer than a motor may run");
    CHECK(took == 60000, "to the limit");
}
