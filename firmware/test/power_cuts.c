/** The power goes at every step, twice in a run: nothing runs twice, no cap is passed, and how it ended is known (F3, F4). */
#include "check.h"
#include "world.h"

/** Long enough that what failed is tried again after its back-off, as often as half of the answers get lost. */
enum { LIFE_S = 4000, LOSSY_LIFE_S = 20000 };

/** On a slow machine, and for mutants, a tenth of them will do. */
#ifdef POWER_CUTS_FEW
enum { FEW = 10, SCENARIOS_MIN = 500 };
#else
enum { FEW = 1, SCENARIOS_MIN = 5000 };
#endif

static struct world world;
static struct feeder feeder;

static void two_commands(void)
{
    world_command(&world, 1, 40, 0, 900);
    world_command(&world, 2, 25, 330, 900);
}

static void meal_and_command(void)
{
    /* WORLD_EPOCH is 08:00:00 UTC. */
    world_schedule(&world, 8 * 60 + 2, 30);
    world_command(&world, 1, 25, 400, 900);
}

static void jam(void)
{
    world.jams_at = 15;
    world_command(&world, 1, 40, 0, 900);
    world_command(&world, 2, 25, 330, 900);
}

static void forgetful_gateway(void)
{
    world.is_forgetful = world.is_doubling = true;
    two_commands();
}

static void lossy_network(void)
{
    world.is_lossy = true;
    two_commands();
}

static void full_day(void)
{
    world.settings.maxima.daily = 80;
    world_command(&world, 1, 45, 0, 900);
    world_command(&world, 2, 40, 330, 900);
}

static const char *scenario(void (*prepare)(void), const unsigned *cuts, unsigned count)
{
    world_init(&world);
    prepare();
    world_survive(&world, &feeder, world.is_lossy ? LOSSY_LIFE_S : LIFE_S, cuts, count);
    return world_verdict(&world);
}

void test_power_cuts(void)
{
    static void (*const prepares[])(void) = {two_commands, meal_and_command, jam, forgetful_gateway, lossy_network, full_day};
    static const char *const names[] = {"two commands", "a meal and a command", "a jam", "a forgetful gateway", "a lossy network",
                                       "a full day"};
    unsigned scenarios = 0;
    for (unsigned i = 0; i < sizeof prepares / sizeof prepares[0]; i++) {
        const char *verdict = scenario(prepares[i], NULL, 0);
        if (!CHECK(verdict == NULL, names[i])) printf("  %s\n", verdict);
        const unsigned steps = world.steps;
        CHECK(world.run_count >= 1, "something ran");
        for (unsigned first = 1; first <= steps; first += 1 + FEW * steps / 80) {
            for (unsigned second = 1; second <= steps; second += 3 + steps / 30) {
                const unsigned cuts[2] = {first, second};
                verdict = scenario(prepares[i], cuts, 2);
                scenarios++;
                if (!CHECK(verdict == NULL, names[i])) printf("  %s: cuts %u, %u\n", verdict, first, second);
            }
            if (checks.failed > 10) return;
        }
        /* The second cut at every step of the first restart, where most can go wrong. */
        for (unsigned second = 1; second <= steps; second += FEW) {
            const unsigned cuts[2] = {steps / 2 + second % 7, second};
            verdict = scenario(prepares[i], cuts, 2);
            scenarios++;
            if (!CHECK(verdict == NULL, names[i])) printf("  %s: cuts %u, %u\n", verdict, cuts[0], second);
        }
        printf("  %s: %u steps\n", names[i], steps);
    }
    printf("%u power-cut scenarios\n", scenarios);
    CHECK(scenarios >= SCENARIOS_MIN, "five thousand power cuts");
}
