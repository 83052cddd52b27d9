/** Another firmware: when it is fetched, that nothing unverified ever boots, and that each end is the old one or the new one. */
#include "check.h"
#include "world.h"

enum { SLOT = 4096, ERASED_AT_ONCE = 1024, IMAGE = 3000, OLD = 1, NEW = 2, HOUR_S = 3600 };
enum kind { GOOD, CRASHES, HAS_NO_ANSWER };
enum trial { TRIAL_NONE, TRIAL_CHOSEN, TRIAL_RUNS };

/** The flash of one feeder, its boot loader, and the host that it downloads from. */
static struct {
    uint8_t slots[2][SLOT];
    uint8_t running;
    enum trial trial;
    /** What the host serves, and what a release should be. */
    uint8_t served[SLOT];
    uint8_t wanted[SLOT];
    bool is_fetching;
    uint32_t at;
    /** The host breaks off, or says nothing more, after so many bytes of each answer; 0: never. */
    uint32_t breaks_off;
    uint32_t stalls;
    uint32_t sent;
    unsigned polls;
    unsigned fetches;
    uint32_t last_offset;
    unsigned tries;
    bool is_slot_bad;
} flash;
static struct world world;
static struct feeder feeder;

static void make_image(uint8_t *image, uint8_t version, enum kind kind)
{
    memset(image, 0, SLOT);
    for (unsigned i = 0; i < IMAGE; i++) image[i] = (uint8_t)(i * 7 + version);
    image[0] = version;
    image[1] = (uint8_t)kind;
}

/** Whatever tells images apart will do: the core only compares. */
static void digest_of(const uint8_t *image, uint32_t size, uint8_t *digest)
{
    for (unsigned part = 0; part < 8; part++) {
        uint32_t sum = 2166136261u + part;
        for (uint32_t i = 0; i < size; i++) sum = (sum ^ image[i]) * 16777619u;
        memcpy(digest + 4 * part, &sum, 4);
    }
}

static void fetch(void *context, const char *url, uint32_t offset)
{
    (void)context;
    flash.is_fetching = url != NULL;
    if (url == NULL) return;
    flash.at = flash.last_offset = offset;
    flash.sent = 0;
    flash.fetches++;
}

static int fetched(void *context, uint8_t *out, size_t size)
{
    (void)context;
    if (!flash.is_fetching || flash.at >= IMAGE) return -1;
    if (flash.breaks_off > 0 && flash.sent >= flash.breaks_off) return -1;
    if (flash.stalls > 0 && flash.sent >= flash.stalls) return 0;
    /* In pieces that fit nothing, and not all at once. */
    uint32_t length = 333;
    if (flash.sent > 0 && ++flash.polls % 3 == 0) return 0;
    if (length > size) length = (uint32_t)size;
    if (length > IMAGE - flash.at) length = IMAGE - flash.at;
    memcpy(out, flash.served + flash.at, length);
    flash.at += length;
    flash.sent += length;
    return (int)length;
}

/** NOR flash: what is erased is ones, what is written loses ones; the power may go in the middle. */
static bool write_image(void *context, uint32_t offset, const uint8_t *data, size_t length)
{
    uint8_t *slot = flash.slots[!flash.running];
    if (flash.is_slot_bad || offset + length > SLOT) return false;
    world_step(context);
    if (offset % ERASED_AT_ONCE == 0) memset(slot + offset, 0xff, ERASED_AT_ONCE);
    for (size_t i = 0; i < length; i++) {
        if (i == length / 2) world_step(context);
        slot[offset + i] &= data[i];
    }
    world_step(context);
    return true;
}

static bool digest_image(void *context, uint32_t size, uint8_t *digest)
{
    (void)context;
    digest_of(flash.slots[!flash.running], size, digest);
    return true;
}

static bool choose(void *context, enum image_choice choice)
{
    world_step(context);
    if (choice == IMAGE_KEEP) {
        flash.trial = TRIAL_NONE;
        world_step(context);
        return true;
    }
    flash.running = !flash.running;
    flash.trial = choice == IMAGE_TRY ? TRIAL_CHOSEN : TRIAL_NONE;
    flash.tries += choice == IMAGE_TRY;
    longjmp(world.cut, 1);
}

static const struct port_images images = {fetch, fetched, write_image, digest_image, choose};

static void offer(const char *url)
{
    world.has_release = true;
    memset(&world.release, 0, sizeof world.release);
    world.release.version = flash.wanted[0];
    world.release.size = IMAGE;
    digest_of(flash.wanted, IMAGE, world.release.digest);
    strcpy(world.release.url, url);
}

static void prepare(enum kind kind)
{
    world_init(&world);
    memset(&flash, 0, sizeof flash);
    make_image(flash.slots[0], OLD, GOOD);
    memset(flash.slots[1], 0xff, SLOT);
    make_image(flash.wanted, NEW, kind);
    memcpy(flash.served, flash.wanted, SLOT);
    world.port.images = &images;
    world.settings.update.step = ERASED_AT_ONCE;
    world.settings.full_after_s = 600;
    world.settings.update.back_off_s = 900;
    offer("http://a/2");
}

/** What a boot loader with rollback does: a reset that comes before IMAGE_KEEP boots the old one. */
static bool boot(void)
{
    static uint8_t old[SLOT];
    make_image(old, OLD, GOOD);
    for (;;) {
        if (flash.trial == TRIAL_RUNS) {
            flash.running = !flash.running;
            flash.trial = TRIAL_NONE;
        }
        if (flash.trial == TRIAL_CHOSEN) flash.trial = TRIAL_RUNS;
        const uint8_t *image = flash.slots[flash.running];
        if (memcmp(image, old, IMAGE) != 0 && memcmp(image, flash.wanted, IMAGE) != 0)
            world_breaks(&world, "an image boots that was not verified");
        world.settings.firmware = image[0];
        world.has_network = image[1] != HAS_NO_ANSWER;
        if (image[1] != CRASHES) return world_boot(&world, &feeder);
        world.ms += 2000;
    }
}

/** Lives on over restarts, and power cuts at these steps. */
static void live(uint32_t seconds, const unsigned *cuts, unsigned count)
{
    const uint64_t end = world.ms + seconds * 1000ull;
    for (unsigned starts = 0; world.ms < end && starts < 200; starts++) {
        world.steps = 0;
        world.cut_at = starts < count ? cuts[starts] : 0;
        if (boot()) world_live(&world, &feeder, (uint32_t)((end - world.ms) / 1000) + 1, (starts & 1) != 0);
        world.ms += 700;
    }
}

static void verdict(const char *what)
{
    const char *broken = world_verdict(&world);
    if (!CHECK(broken == NULL, what)) printf("  %s\n", broken);
}

static void test_ordinary(void)
{
    prepare(GOOD);
    world_command(&world, 1, 40, 0, 900);
    live(60, NULL, 0);
    CHECK(world.run_count == 1 && flash.tries == 1, "a portion goes first, then the firmware is fetched and boots");
    EQUAL(world.settings.firmware, NEW, "the new one runs");
    EQUAL(flash.trial, TRIAL_NONE, "and stays, since it had a verified answer");
    EQUAL(world.firmware.version, NEW, "it says so");
    EQUAL(world.firmware.problem, PROBLEM_NONE, "without a problem");
    EQUAL(flash.fetches, 1, "in one download");
    world.largest = 0;
    live(7200, NULL, 0);
    CHECK(flash.fetches == 1 && flash.tries == 1, "once");
    EQUAL(feeder.update.stage, UPDATE_NONE, "and nothing is left to do");
    verdict("an update");

    prepare(GOOD);
    world.settings.full_after_s = HOUR_S;
    world.has_release = false;
    live(10, NULL, 0);
    world.has_release = true;
    world.largest = 0;
    live(HOUR_S - 300, NULL, 0);
    CHECK(world.logs[LOG_ANSWERED] > 8 && flash.fetches > 0, "asked for after a start");
    verdict("a late release");
}

static void test_conditions(void)
{
    prepare(GOOD);
    world.senses.battery_mv = 3700;
    live(2 * HOUR_S, NULL, 0);
    EQUAL(flash.fetches, 0, "not on a weak battery");
    world.senses.battery_mv = 3900;
    live(1300, NULL, 0);
    EQUAL(world.firmware.version, NEW, "when it is full again");

    prepare(GOOD);
    /* 08:00:00 UTC at the start. */
    world_schedule(&world, 8 * 60 + 9, 30);
    live(500, NULL, 0);
    EQUAL(flash.fetches, 0, "not when a meal is due");
    world_live(&world, &feeder, 20 * 60, false);
    CHECK(world.run_count == 1 && flash.tries == 1, "after the meal");
    verdict("a meal first");

    prepare(GOOD);
    world.senses.battery_mv = 3700;
    live(60, NULL, 0);
    world.has_release = false;
    world.senses.battery_mv = 3900;
    live(2 * HOUR_S, NULL, 0);
    EQUAL(flash.fetches, 0, "what was withdrawn is not fetched later");
}

static void test_bad_hosts(void)
{
    prepare(GOOD);
    flash.breaks_off = 1400;
    live(3 * HOUR_S, NULL, 0);
    EQUAL(world.firmware.version, NEW, "a host that breaks off is asked for the rest");
    CHECK(flash.fetches == 3 && flash.last_offset == 2048, "from the last kilobyte that is durable");

    prepare(GOOD);
    flash.breaks_off = 100;
    live(12 * HOUR_S, NULL, 0);
    EQUAL(flash.fetches, 3, "three attempts that come to nothing");
    CHECK(world.firmware.version == OLD && world.firmware.tried == NEW && world.firmware.problem == PROBLEM_UNREACHABLE, "it says so");
    flash.breaks_off = 0;
    live(2 * HOUR_S, NULL, 0);
    EQUAL(flash.fetches, 3, "never again");
    offer("http://b/2");
    live(HOUR_S, NULL, 0);
    EQUAL(world.firmware.version, NEW, "unless it is another release: one address suffices");

    prepare(GOOD);
    flash.stalls = 100;
    world.radio_ms = 0;
    live(6 * HOUR_S, NULL, 0);
    EQUAL(flash.fetches, 3, "nor at a host that says nothing");
    CHECK(world.radio_ms < 45000, "which keeps it awake for ten seconds each");

    prepare(GOOD);
    flash.is_slot_bad = true;
    live(6 * HOUR_S, NULL, 0);
    CHECK(flash.tries == 0 && world.firmware.problem == PROBLEM_STORAGE, "flash that cannot be written");
}

static void test_bad_images(void)
{
    prepare(GOOD);
    flash.served[2999] ^= 1;
    live(12 * HOUR_S, NULL, 0);
    EQUAL(flash.tries, 0, "another digest: never booted");
    EQUAL(flash.fetches, 3, "fetched anew three times");
    CHECK(world.firmware.version == OLD && world.firmware.tried == NEW && world.firmware.problem == PROBLEM_DIGEST, "it says so");
    verdict("another digest");

    prepare(CRASHES);
    live(12 * HOUR_S, NULL, 0);
    EQUAL(flash.tries, 2, "one that never comes up gets a second start, since the power may have gone");
    EQUAL(flash.fetches, 1, "and is not fetched again");
    CHECK(world.firmware.version == OLD && world.firmware.problem == PROBLEM_ROLLED_BACK, "the old one says so");
    world_command(&world, 1, 40, 0, 900);
    live(600, NULL, 0);
    EQUAL(world.run_count, 1, "and feeds");
    verdict("a crash");

    prepare(HAS_NO_ANSWER);
    live(2 * HOUR_S, NULL, 0);
    EQUAL(flash.tries, 1, "one that gets no answer goes by itself");
    CHECK(world.firmware.version == OLD && world.firmware.tried == NEW && world.firmware.problem == PROBLEM_ROLLED_BACK, "for good");
    EQUAL(world.logs[LOG_REVERTED], 1, "after its trial");
    verdict("no answer");

    prepare(GOOD);
    flash.wanted[0] = 3;
    offer("http://a/3");
    memcpy(flash.wanted, flash.served, SLOT);
    digest_of(flash.wanted, IMAGE, world.release.digest);
    live(12 * HOUR_S, NULL, 0);
    CHECK(flash.tries <= 4, "an image of another version than its release is not tried for ever");
    EQUAL(world.firmware.problem, PROBLEM_ROLLED_BACK, "and is told of");
}

/** The power goes at every step, twice in a run. */
static void test_cuts(void)
{
    static const enum kind kinds[] = {GOOD, CRASHES, HAS_NO_ANSWER};
    unsigned scenarios = 0;
#ifdef POWER_CUTS_FEW
    enum { FIRST = 7, SECOND = 20 };
#else
    enum { FIRST = 1, SECOND = 9 };
#endif
    for (unsigned i = 0; i < 3; i++) {
        prepare(kinds[i]);
        live(100, NULL, 0);
        const unsigned steps = world.steps + 60;
        for (unsigned first = 1; first <= steps; first += FIRST) {
            for (unsigned second = 0; second <= steps; second += second == 0 ? 1 + first % SECOND : SECOND) {
                const unsigned cuts[2] = {first, second};
                prepare(kinds[i]);
                flash.breaks_off = second % 2 == 0 ? 0 : 1400;
                world_command(&world, 1, 40, 300, 3000);
                live(4 * HOUR_S, cuts, 2);
                scenarios++;
                const char *broken = world_verdict(&world);
                const bool is_known = world.firmware.version == world.settings.firmware && flash.trial == TRIAL_NONE;
                const uint8_t end = flash.slots[flash.running][0];
                if (broken == NULL && !is_known) broken = "nobody knows what runs";
                if (broken == NULL && (end != OLD) != (kinds[i] == GOOD) && (second == 0 || end != OLD)) broken = "it ends on the wrong one";
                if (broken == NULL && world_told_of(&world, 1, false) == NULL) broken = "it does not take commands";
                if (!CHECK(broken == NULL, "a power cut")) printf("  %s: %u, cuts %u, %u\n", broken, kinds[i], first, second);
                if (checks.failed > 10) return;
            }
        }
    }
    printf("  %u power cuts in an update\n", scenarios);
}

void test_update(void)
{
    test_ordinary();
    test_conditions();
    test_bad_hosts();
    test_bad_images();
    test_cuts();
}
