#include "check.h"

struct checks checks;

int main(void)
{
    static const struct {
        const char *name;
        void (*run)(void);
    } suites[] = {
        {"codec", test_codec},   {"vectors", test_vectors}, {"schedule", test_schedule}, {"feed", test_feed},
        {"policy", test_policy}, {"motor", test_motor},     {"feeder", test_feeder},     {"update", test_update},   {"power cuts", test_power_cuts},
    };
    for (unsigned i = 0; i < sizeof suites / sizeof suites[0]; i++) {
        const unsigned before = checks.passed;
        suites[i].run();
        printf("%-12s %u checks\n", suites[i].name, checks.passed - before);
    }
    printf("%u passed, %u failed\n", checks.passed, checks.failed);
    return checks.failed > 0 || checks.passed == 0;
}
