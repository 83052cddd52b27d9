#!/usr/bin/env bash
# All that is proved of the firmware. What is missing on a machine is left out loudly, and with REQUIRE_ALL=1 it fails. `.ci/run`
# calls it after installing what it needs. FUZZ_S: seconds of fuzzing.
set -euo pipefail
cd "$(dirname "$0")"
node=../node_modules/.bin/node
build=build
mkdir -p $build
core=(core/*.c)
tests=(test/main.c test/codec.c test/vectors.c test/schedule.c test/feed.c test/policy.c test/motor.c test/feeder.c
  test/update.c test/power_cuts.c test/world.c test/server.c)
strict=(-std=c11 -Wall -Wextra -Wshadow -Werror -I$build -Itest)
sanitized=(-O2 -g -fsanitize=address,undefined -fno-sanitize-recover=all)

needs() { # <what it is for> <command or header...>
  local what=$1 thing
  shift
  for thing in "$@"; do
    if [[ $thing == */* ]]; then [ -e "$thing" ] && continue; else command -v "$thing" >/dev/null && continue; fi
    printf '\n*** NOT RUN, this machine lacks %s: %s ***\n\n' "$thing" "$what" >&2
    if [ "${REQUIRE_ALL:-}" = 1 ]; then exit 1; fi
    return 1
  done
}

echo "== vectors of the contract, as C"
$node ../test/firmware/make-vectors.ts > $build/vectors.h

echo "== core includes nothing but C's own headers and the port"
if grep -hE '^#include' core/*.[ch] | grep -vE '<(stdbool|stddef|stdint|string)\.h>|"(\.\./port/(port|crypto)\.h|[a-z_]+\.h)"'; then exit 1; fi

echo "== tests on this machine, under ASan and UBSan"
if needs 'tests on this machine' gcc; then
  gcc "${strict[@]}" "${sanitized[@]}" "${tests[@]}" "${core[@]}" port/soft/crypto.c -o $build/tests-soft
  timeout 240 $build/tests-soft
  gcc "${strict[@]}" -DPESEBRE_DEVICE -c port/soft/crypto.c -o $build/never.o 2>/dev/null &&
    { echo 'port/soft can be built for a device'; exit 1; }
  ./test/mutations.sh $build
fi
if needs 'the same with PSA' gcc /usr/include/psa/crypto.h; then
  gcc "${strict[@]}" "${sanitized[@]}" -DTEST_CRYPTO=crypto_psa -DPOWER_CUTS_FEW "${tests[@]}" "${core[@]}" port/psa/crypto.c \
    -lmbedcrypto -o $build/tests-psa
  timeout 240 $build/tests-psa | tail -1
fi

echo "== fuzzing"
if needs 'fuzzing' clang; then
  clang "${strict[@]}" -O1 -g -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all test/fuzz.c test/world.c \
    test/server.c "${core[@]}" port/soft/crypto.c -o $build/fuzz
  mkdir -p $build/found
  timeout 120 $build/fuzz -max_total_time="${FUZZ_S:-15}" -max_len=700 -artifact_prefix=$build/ -print_final_stats=1 $build/found \
    test/corpus 2>$build/fuzz.log || { tail -40 $build/fuzz.log; exit 1; }
  grep -E 'stat::number_of_executed_units' $build/fuzz.log
fi

echo "== static analysis"
if needs 'static analysis' cppcheck; then
  cppcheck -q --std=c11 --enable=warning,performance,portability --inline-suppr --error-exitcode=1 -Icore core port/psa port/wasm apps sim
fi

echo "== WebAssembly"
if needs 'rebuilding the WebAssembly of the demo feeders' clang wasm-ld; then ./build-wasm.sh --check; fi

echo "== the ESP-IDF apps against headers written by hand: typing errors only"
if needs 'syntax of the ESP-IDF apps' gcc; then ./test/esp-syntax.sh; fi

echo "== energy table"
if needs "the energy table" python3; then python3 energy.py --check >/dev/null; fi

echo "== sizes"
if needs 'sizes' riscv64-unknown-elf-gcc arm-none-eabi-gcc xtensa-lx106-elf-gcc; then ./sizes.sh; fi

bare=(--specs=picolibc.specs --oslib=semihost --crt0=hosted -std=c11 -O2 -w -I$build -Itest -ffunction-sections -DPOWER_CUTS_FEW
  -Wl,--gc-sections -Wl,--defsym=__stack_size=0x10000 -Wl,--defsym=__flash_size=0x200000 -Wl,--defsym=__ram_size=0x200000)
emulate=(-display none -serial none -monitor none -semihosting-config enable=on,target=native)
echo "== the same tests on RV32 and Cortex-M3, in QEMU"
if needs 'tests on RV32' riscv64-unknown-elf-gcc qemu-system-riscv32; then
  # There is no C library for rv32imc in Debian: with atomics there is.
  riscv64-unknown-elf-gcc "${bare[@]}" -march=rv32imac -mabi=ilp32 -Wl,--defsym=__flash=0x80000000 -Wl,--defsym=__ram=0x80200000 \
    "${tests[@]}" "${core[@]}" port/soft/crypto.c -o $build/tests-rv32
  timeout 240 qemu-system-riscv32 -M virt -cpu rv32 -m 16 -bios none "${emulate[@]}" -kernel $build/tests-rv32 | sed 's/^/[rv32] /'
fi
if needs 'tests on Cortex-M3' arm-none-eabi-gcc qemu-system-arm; then
  arm-none-eabi-gcc "${bare[@]}" -mcpu=cortex-m3 -mthumb -Wl,--defsym=__flash=0 -Wl,--defsym=__ram=0x20000000 \
    "${tests[@]}" "${core[@]}" port/soft/crypto.c -o $build/tests-m3
  timeout 240 qemu-system-arm -M mps2-an385 "${emulate[@]}" -kernel $build/tests-m3 | sed 's/^/[m3]   /'
fi
echo "firmware: all of it holds"
