#!/usr/bin/env bash
# Code of the core without cryptography (text and read-only data, -Os) on the machines that matter, and its largest stack frame.
# sizes.sh: fails above the budgets, bytes.
set -euo pipefail
cd "$(dirname "$0")"
# What the issue calls the core: codecs, OSCORE, check-in protocol, feeding machine with its motor, power policy.
rules="cbor coap oscore check_in feed motor policy"
# What drives it: wakes, exchanges, meals by the clock on the wall, settings.
drive="feeder link schedule settings"
# What takes another firmware.
renew="update fetch"
rules_max=8192 drive_max=6656 renew_max=2048 frame_max=600
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

measure() { # <name> <prefix> <flags...>
  local name=$1 prefix=$2 file
  shift 2
  for file in $rules $drive $renew; do
    "${prefix}gcc" "$@" -std=c11 -Os -ffunction-sections -fstack-usage -DPESEBRE_DEVICE -c "core/$file.c" -o "$work/$file.o"
  done
  sum() { (cd "$work" && "${prefix}size" "${@/%/.o}" | awk 'NR > 1 { total += $1 } END { print total }'); }
  local a b c frame
  # shellcheck disable=SC2086
  a=$(sum $rules) b=$(sum $drive) c=$(sum $renew)
  # No heap, no variables outside of functions: what a feeder has is the caller's (architecture, layers).
  (cd "$work" && "${prefix}size" ./*.o | awk 'NR > 1 && ($2 > 0 || $3 > 0) { print "core has variables of its own: " $6; exit 1 }')
  if (cd "$work" && "${prefix}nm" -u ./*.o) | grep -E ' (malloc|calloc|realloc|free|printf)$'; then echo 'core needs a heap'; return 1; fi
  frame=$(cat "$work"/*.su | awk -F'\t' '{ print $2, $1 }' | sort -n | tail -1)
  echo "size $name: rules $a B (at most $rules_max), drive $b B (at most $drive_max), firmware updates $c B (at most $renew_max), together $((a + b + c)) B; largest frame ${frame%% *} B (at most $frame_max) in ${frame##*:}"
  [ "$a" -le $rules_max ] && [ "$b" -le $drive_max ] && [ "$c" -le $renew_max ] && [ "${frame%% *}" -le $frame_max ]
}

measure rv32imc riscv64-unknown-elf- --specs=picolibc.specs -march=rv32imc -mabi=ilp32 -msave-restore
measure cortex-m4 arm-none-eabi- --specs=picolibc.specs -mcpu=cortex-m4 -mthumb
measure lx106 xtensa-lx106-elf- -isystem /usr/lib/xtensa-lx106-elf/include -mtext-section-literals
