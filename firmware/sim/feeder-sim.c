/**
 * Many feeders in one process, with a virtual clock and faults by chance: feeder-sim --help. Without --gateway each has gateways of its
 * own that keep to the contract, and the same seed gives the same lives. With it they speak to real ones over UDP (network.c).
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../test/world.h"
#include "charge.h"
#include "network.h"

struct totals {
    uint64_t requests;
    uint64_t answers;
    uint64_t runs;
    uint64_t power_cuts;
    uint64_t ignored;
    uint64_t grams;
    unsigned broken;
    double charge_mc;
    double charge_most;
};

/** Lets one feeder live. @return the promise that it broke, or NULL */
static const char *live(struct world *world, struct feeder *feeder, const struct sim_options *options, uint32_t number,
                        struct totals *totals)
{
    const uint32_t life = options->hours * 3600;
    world_init(world);
    for (unsigned i = 0; i < 4; i++) world->settings.kid[1 + i] = (uint8_t)(number >> (24 - 8 * i));
    world_rekey(world);
    world->chances = options->chances;
    world->chances.seed = (options->chances.seed + number) * 2654435761u;
    world->config.interval_s = 300;
    for (unsigned i = 0; i < options->meals; i++) world_schedule(world, (8 * 60 + 60 + i * 1440 / options->meals) % 1440, 400);
    world->config.version = options->meals > 0;
    for (unsigned i = 0; i < options->commands && i < WORLD_COMMANDS; i++)
        world_command(world, i + 1, 300, 1200 + i * life / options->commands + number % 600, 3600);
    world_survive(world, feeder, life, NULL, 0);
    /* Then nothing fails any more: in the end every outcome is confirmed. */
    memset(&world->chances, 0, sizeof world->chances);
    for (unsigned i = 0; i < 12 && feed_has_news(&feeder->record); i++) world_survive(world, feeder, 3600, NULL, 0);

    const double charge = charge_mc(world->wakes, world->radio_ms, life);
    totals->requests += world->requests;
    totals->answers += world->answers;
    totals->runs += world->run_count;
    totals->power_cuts += world->power_cuts;
    totals->ignored += feeder->sleep.ignored;
    for (unsigned i = 0; i < world->run_count; i++) totals->grams += world->runs[i].grams;
    totals->charge_mc += charge;
    if (charge > totals->charge_most) totals->charge_most = charge;
    if (feed_has_news(&feeder->record)) return "an outcome was never confirmed";
    return world_verdict(world);
}

static int simulate(const struct sim_options *options)
{
    struct world *world = malloc(sizeof *world);
    struct feeder *feeder = malloc(sizeof *feeder);
    struct totals totals = {0};
    for (uint32_t number = 0; number < options->devices; number++) {
        const char *broken = live(world, feeder, options, number, &totals);
        if (broken != NULL && totals.broken++ < 10) printf("feeder %u: %s\n", number, broken);
    }
    printf("feeders %u, hours %u, seed %u: requests %llu, answers %llu, portions %llu (%llu g), power cuts %llu, ignored %llu\n",
           options->devices, options->hours, options->chances.seed, (unsigned long long)totals.requests,
           (unsigned long long)totals.answers, (unsigned long long)totals.runs, (unsigned long long)totals.grams,
           (unsigned long long)totals.power_cuts, (unsigned long long)totals.ignored);
    printf("modelled charge per feeder and day: mean %.2f mAh, most %.2f mAh (radio and sleep; see energy.py for what this is worth)\n",
           totals.charge_mc / options->devices / 3600 * 24 / options->hours, totals.charge_most / 3600 * 24 / options->hours);
    printf("no id run twice, no cap passed, every outcome confirmed: %s\n", totals.broken == 0 ? "holds" : "BROKEN");
    free(world);
    free(feeder);
    return totals.broken > 0;
}

static const struct {
    const char *name;
    size_t at;
    const char *what;
} numbers[] = {
    {"--devices", offsetof(struct sim_options, devices), "how many (100)"},
    {"--hours", offsetof(struct sim_options, hours), "of their time (24)"},
    {"--seed", offsetof(struct sim_options, chances.seed), "of chance (1)"},
    {"--meals", offsetof(struct sim_options, meals), "a day, by schedule (4)"},
    {"--commands", offsetof(struct sim_options, commands), "in all that time, at most 8 (3)"},
    {"--loss", offsetof(struct sim_options, chances.loss), "of each datagram, in a million"},
    {"--dup", offsetof(struct sim_options, chances.doubles), "comes twice"},
    {"--reorder", offsetof(struct sim_options, chances.reorder), "comes late"},
    {"--cut", offsetof(struct sim_options, chances.cut), "of each step: the power goes"},
    {"--jam", offsetof(struct sim_options, chances.jam), "of each portion"},
    {"--dead", offsetof(struct sim_options, chances.dead), "of each hour and gateway"},
    {"--slots", offsetof(struct sim_options, slots), "feeders awake at once, with --gateway (256)"},
};

static int usage(void)
{
    printf("feeder-sim [options]\n");
    for (unsigned i = 0; i < sizeof numbers / sizeof numbers[0]; i++) printf("  %-11s <n>  %s\n", numbers[i].name, numbers[i].what);
    printf("  --gateway  <id=ipv4:port,...>  real gateways; with --keys <file>: a line for each feeder, kid and secret in hex\n");
    return 2;
}

int main(int argc, char **argv)
{
    struct sim_options options = {.devices = 100, .hours = 24, .meals = 4, .commands = 3, .slots = 256, .chances = {.seed = 1}};
    for (int i = 1; i < argc; i += 2) {
        bool is_known = false;
        if (i + 1 == argc) return usage();
        for (unsigned j = 0; j < sizeof numbers / sizeof numbers[0]; j++) {
            if (strcmp(argv[i], numbers[j].name) != 0) continue;
            *(uint32_t *)((char *)&options + numbers[j].at) = (uint32_t)strtoul(argv[i + 1], NULL, 10);
            is_known = true;
        }
        if (strcmp(argv[i], "--gateway") == 0) options.gateways = argv[i + 1];
        else if (strcmp(argv[i], "--keys") == 0) options.keys = argv[i + 1];
        else if (!is_known) return usage();
    }
    return options.gateways == NULL ? simulate(&options) : sim_network(&options);
}
