/** Whole wakes of a feeder: what it says, what it does with what it hears, and when it sleeps. */
#include "check.h"
#include "world.h"

static struct world world;
static struct feeder feeder;

static void begin(void)
{
    world_init(&world);
    CHECK(world_boot(&world, &feeder), "it starts");
}

static bool is_told(uint32_t id, bool is_meal, enum outcome_state state)
{
    const struct world_told *told = world_told_of(&world, id, is_meal);
    return told != NULL && (told->states & 1u << state) != 0;
}

static void verdict(const char *what)
{
    const char *broken = world_verdict(&world);
    if (!CHECK(broken == NULL, what)) printf("  %s\n", broken);
}

static void test_check_ins(void)
{
    begin();
    world_live(&world, &feeder, 1, false);
    CHECK(world.requests == 1 && world.answers == 1, "one check-in at the start");
    CHECK(feeder.sleep.has_clock, "its answer brings the time");
    CHECK(world.uplink.has_clock && world.uplink.clock == 0, "it said that it had none");
    world.largest = 0;
    world_live(&world, &feeder, 3500, false);
    CHECK(world.requests >= 11 && world.requests <= 13, "every five minutes");
    EQUAL(world.answers, world.requests, "each wants its answer");
    CHECK(world.largest > 0 && world.largest <= 61, "in at most 61 bytes");
    CHECK(world.uplink.is_unchanged && !world.uplink.has_clock, "ordinary ones say that nothing has changed");
    world_live(&world, &feeder, 800, false);
    CHECK(world.logs[LOG_UNANSWERED] == 0, "none failed");
    world.senses.hopper_pct = 70;
    world_live(&world, &feeder, 400, false);
    verdict("ordinary");

    begin();
    world_live(&world, &feeder, 4000, true);
    CHECK(world.requests >= 12 && world.requests <= 15, "the same when each sleep loses its memory");
    verdict("deep sleep");
}

static void test_command(void)
{
    begin();
    world_command(&world, 1, 500, 100, 600);
    world_live(&world, &feeder, 900, true);
    CHECK(is_told(1, false, OUTCOME_ACCEPTED) && is_told(1, false, OUTCOME_DISPENSING) && is_told(1, false, OUTCOME_DONE),
          "accepted, dispensing, done");
    CHECK(world.run_count == 1 && world.runs[0].grams == 500, "all of it, once");
    EQUAL(feeder.record.outcomes[0].state & OUTCOME_IS_CONFIRMED, OUTCOME_IS_CONFIRMED, "confirmed");
    verdict("command");

    begin();
    feeder.config.config.calibration = 500;
    world_command(&world, 1, 500, 0, 600);
    world_live(&world, &feeder, 60, false);
    EQUAL(world.runs[0].grams, 1000, "a motor that gives half of what it counts runs twice as long");
    EQUAL(world_told_of(&world, 1, false)->grams, 500, "grams are real ones to everybody else");
}

static void test_schedule_without_network(void)
{
    begin();
    world_schedule(&world, 8 * 60 + 10, 400);
    world_live(&world, &feeder, 5, true);
    EQUAL(feeder.config.config.version, 1, "configured");
    world_live(&world, &feeder, 300, true);
    EQUAL(world.uplink.config_version, 1, "and says so");
    world.has_network = false;
    world_live(&world, &feeder, 2 * 86400, true);
    EQUAL(world.run_count, 2, "fed on both days without a network (F1)");
    EQUAL(world.runs[0].at, 600, "on the minute");
    world.has_network = true;
    world_live(&world, &feeder, 7200, true);
    CHECK(world_told_of(&world, world.runs[0].id, true) != NULL && world_told_of(&world, world.runs[1].id, true) != NULL,
          "told of when the network is back");
    EQUAL(feeder.record.outcome_count, 0, "and confirmed");
    verdict("schedule");

    begin();
    world_schedule(&world, 8 * 60 + 10, 400);
    world_live(&world, &feeder, 5, false);
    CHECK(world_boot(&world, &feeder), "the power goes");
    world.has_network = false;
    world_live(&world, &feeder, 3600, false);
    EQUAL(world.run_count, 0, "without a clock the schedule waits (F8)");
}

static void test_gap_and_schedule(void)
{
    begin();
    world_schedule(&world, 8 * 60 + 2, 400);
    world.config.limits = (struct feed_limits){UINT32_MAX, UINT32_MAX, UINT32_MAX};
    world_command(&world, 1, 200, 0, 600);
    world_live(&world, &feeder, 110, false);
    world_command(&world, 2, 100, 0, 600);
    feeder_button(&feeder);
    world_live(&world, &feeder, 200, false);
    CHECK(world_runs_of(&world, 1, false) == 1 && world.run_count >= 2, "the meal follows when the gap is over");
    verdict("gap");
}

static void test_dead_gateway(void)
{
    begin();
    world_live(&world, &feeder, 10, true);
    world.is_dead[0] = world.is_dead[1] = true;
    const unsigned before = world.requests;
    world_live(&world, &feeder, 6 * 3600, true);
    CHECK(world.logs[LOG_UNANSWERED] <= 12, "few questions to nobody");
    CHECK(world.requests - before > 60, "reports go on");
    world.is_dead[1] = false;
    world_live(&world, &feeder, 2 * 3600 + 300, true);
    CHECK(feeder.sleep.policy.failures == 0, "found again");
    verdict("dead gateway");

    begin();
    world_live(&world, &feeder, 10, true);
    world.is_dead[0] = true;
    world_live(&world, &feeder, 700, true);
    EQUAL(feeder.sleep.policy.failures, 0, "the other gateway is asked at the next wake");
    EQUAL(world.logs[LOG_UNANSWERED], 1, "after one loss");

    begin();
    world.has_network = false;
    world_live(&world, &feeder, 86400, true);
    CHECK(world.joins < 40, "a network that is away is tried seldom");
    EQUAL(world.requests, 0, "nothing is sent");
}

/** Bad input changes nothing but a counter, and does not keep it awake. */
static void test_bad_answers(void)
{
    static struct feeder before;
    uint8_t datagram[256];
    begin();
    world_live(&world, &feeder, 10, false);
    world.ms += 300000;
    struct feeder_wait wait = feeder_step(&feeder, NULL, 0);
    CHECK(wait.is_awake && feeder.is_awaiting, "it waits for an answer");
    const size_t length = world.answer_length;
    before = feeder;
    for (unsigned i = 0; i < 200; i++) {
        memcpy(datagram, world.answer, sizeof datagram);
        size_t bytes = length;
        if (i == 0) bytes = 1;
        else if (i == 1) memset(datagram, 0, sizeof datagram);
        else if (i == 2) memcpy(datagram, "\x60\x00\x00\x01", bytes = 4);
        else if (i == 3) memcpy(datagram, "\x51\x81\x00\x01\x00", bytes = 5);
        else if (i % 2 == 0) datagram[8 + i % (length - 8)] ^= (uint8_t)(1 << i % 8);
        else bytes = i % length;
        if (bytes == 0) continue;
        world.ms += 1;
        wait = feeder_step(&feeder, datagram, bytes);
        CHECK(wait.is_awake ? wait.ms <= 250 : true, "the window does not grow");
    }
    CHECK(feeder.sleep.ignored > before.sleep.ignored, "counted");
    EQUAL(memcmp(&before.record, &feeder.record, sizeof before.record), 0, "the record is what it was");
    EQUAL(memcmp(&before.config, &feeder.config, sizeof before.config), 0, "the configuration, too");
    EQUAL(before.sleep.clock_offset, feeder.sleep.clock_offset, "the clock, too");
    world.answer_length = 0;
    world.ms += 300;
    feeder_step(&feeder, NULL, 0);
    CHECK(!feeder.is_awaiting, "and the window ends");

    begin();
    world_live(&world, &feeder, 10, false);
    world.ms += 300000;
    feeder_step(&feeder, NULL, 0);
    memcpy(datagram, world.answer, sizeof datagram);
    datagram[length / 2] ^= 1;
    feeder_step(&feeder, datagram, world.answer_length);
    memcpy(datagram, world.answer, sizeof datagram);
    feeder_step(&feeder, datagram, world.answer_length);
    CHECK(!feeder.is_awaiting && feeder.sleep.policy.failures == 0, "a forged answer does not silence the real one");
    world.answer_length = 0;
    verdict("bad answers");
}

static void test_refusals(void)
{
    begin();
    world.asks_echo = true;
    world_live(&world, &feeder, 10, false);
    CHECK(feeder.sleep.has_clock && world.requests == 2, "an Echo is answered in the same wake");
    world.asks_echo = false;
    world.answer_code = 0x83;
    world_live(&world, &feeder, 3600, true);
    CHECK(world.logs[LOG_REFUSED] > 0 && world.logs[LOG_REFUSED] < 8, "disabled: it asks less and less");
    CHECK(world.requests < 20, "and does not hammer");
    verdict("refusals");
}

static void test_latch_and_button(void)
{
    begin();
    world.jams_at = 100;
    world_command(&world, 1, 500, 0, 600);
    world_live(&world, &feeder, 60, true);
    CHECK(is_told(1, false, OUTCOME_JAMMED) && feeder.record.is_latched, "jammed, latched, told");
    world.jams_at = 0;
    world_command(&world, 2, 300, 0, 600);
    world_live(&world, &feeder, 400, true);
    CHECK(is_told(2, false, OUTCOME_REFUSED) && world.run_count == 1, "nothing runs");
    CHECK(world_boot(&world, &feeder) && feeder.record.is_latched, "a power cut does not take the latch off");
    feeder_button(&feeder);
    CHECK(!feeder.record.is_latched, "the button does");
    world_command(&world, 3, 300, 0, 600);
    world_live(&world, &feeder, 400, true);
    CHECK(is_told(3, false, OUTCOME_DONE), "and it feeds again");
    verdict("latch");
}

static void test_store(void)
{
    begin();
    world_live(&world, &feeder, 10, false);
    world.is_store_full = true;
    world_command(&world, 1, 500, 0, 3000);
    world_live(&world, &feeder, 400, false);
    EQUAL(world.run_count, 0, "no persist, no motor (F3)");
    world.is_store_full = false;
    world_live(&world, &feeder, 800, false);
    EQUAL(world.run_count, 1, "later it runs");
    verdict("store");

    world_init(&world);
    world.lengths[STORE_SEQUENCE] = PORT_ABSENT;
    EQUAL(feeder_start(&feeder, &world.port, &world.settings), FEEDER_NOT_PROVISIONED, "without a sequence nothing is sent");
    world_init(&world);
    CHECK(world_boot(&world, &feeder), "it runs");
    world_live(&world, &feeder, 10, false);
    world.values[STORE_RECORD][9] ^= 1;
    CHECK(world_boot(&world, &feeder) && feeder.record.is_latched, "an unreadable record latches (F7)");
    world.lengths[STORE_RECORD] = PORT_ABSENT;
    CHECK(world_boot(&world, &feeder) && feeder.record.is_latched, "one that is lost, too");
    CHECK(feeder.sleep.sequence > 0, "the sequence goes on above its ceiling");
}

static void test_busy(void)
{
    begin();
    world_command(&world, 1, 2000, 0, 600);
    world_command(&world, 2, 300, 0, 30);
    world_live(&world, &feeder, 700, false);
    CHECK(is_told(1, false, OUTCOME_DONE), "the first is done");
    CHECK(is_told(2, false, OUTCOME_REFUSED) && world_runs_of(&world, 2, false) == 0, "the second was busy until its time was past (F6)");
    verdict("busy");
}

static void test_battery(void)
{
    begin();
    world.senses.battery_mv = 3500;
    world_live(&world, &feeder, 10, true);
    const unsigned before = world.answers;
    world_live(&world, &feeder, 3600, true);
    EQUAL(world.answers, before, "eco: no answers are waited for");
    CHECK(world.beacons > 4, "it reports all the same");
    world.senses.battery_mv = 3460;
    world_live(&world, &feeder, 700, true);
    CHECK(world.answers > before, "a low battery is told of, and confirmed");
    const unsigned requests = world.requests;
    world_live(&world, &feeder, 3600, true);
    CHECK(world.requests - requests <= 7, "half as often under 20 %");
    verdict("battery");
}

void test_feeder(void)
{
    printf("a feeder takes %u B, what lasts over a deep sleep %u B, its record %u B\n", (unsigned)sizeof(struct feeder),
           (unsigned)sizeof(struct feeder_sleep), (unsigned)sizeof(struct feed_record));
    test_check_ins();
    test_command();
    test_schedule_without_network();
    test_gap_and_schedule();
    test_dead_gateway();
    test_bad_answers();
    test_refusals();
    test_latch_and_button();
    test_store();
    test_busy();
    test_battery();
}
