#!/usr/bin/env bash
# Looks for typing errors in the ESP-IDF apps: compiles them against test/esp_all.h, which stands for all of Espressif's headers. Only
# ESP-IDF itself can say whether they build.
set -euo pipefail
cd "$(dirname "$0")/.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

for header in $(grep -ho '^#include <[a-zA-Z_/]*\.h>' apps/*/main/*.c | sed 's/.*<\(.*\)>/\1/' | sort -u); do
  case $header in std*.h | string.h) continue ;; esac
  mkdir -p "$work/$(dirname "$header")"
  echo '#include "esp_all.h"' > "$work/$header"
done
for file in apps/*/main/*.c; do
  gcc -std=gnu11 -Wall -Wextra -Wshadow -Werror -fsyntax-only -I"$work" -Itest -I. -I"$(dirname "$file")" "$file"
done
lines=$(cat apps/feeder/main/*.[ch] | wc -l)
echo "ESP-IDF apps: no typing errors; the feeder's port has $lines lines (at most 600). Not compiled with ESP-IDF."
[ "$lines" -le 600 ]
