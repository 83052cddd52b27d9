/** The whole test framework: it has to run on a bare machine, too. */
#ifndef PESEBRE_CHECK_H
#define PESEBRE_CHECK_H

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

struct checks {
    unsigned passed;
    unsigned failed;
};
/** The one global of the tests. */
extern struct checks checks;

static inline bool check_is(bool is_true, const char *what, const char *file, int line)
{
    if (is_true)
        checks.passed++;
    else if (checks.failed++ < 20)
        printf("FAILED %s:%d: %s\n", file, line, what);
    return is_true;
}

/** `what` is said when it fails. */
#define CHECK(condition, what) check_is((condition), (what), __FILE__, __LINE__)
#define EQUAL(a, b, what) CHECK((long long)(a) == (long long)(b), (what))

void test_codec(void);
void test_vectors(void);
void test_schedule(void);
void test_feed(void);
void test_policy(void);
void test_motor(void);
void test_feeder(void);
void test_update(void);
void test_power_cuts(void);

#endif
