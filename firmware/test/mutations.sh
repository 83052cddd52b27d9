#!/usr/bin/env bash
# Five faults in the feeding machine, made on purpose: each must make the tests fail. mutations.sh <build folder with vectors.h>
set -euo pipefail
cd "$(dirname "$0")/.."
build=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

mutant() { # <what> <file> <sed expression>
  rm -rf "$work/core"
  cp -r core "$work/core"
  sed -i "$3" "$work/core/$2"
  if cmp -s "core/$2" "$work/core/$2"; then
    echo "mutation: nothing to change for: $1"
    return 1
  fi
  mkdir -p "$work/port" "$work/test"
  cp port/*.h "$work/port/" && cp test/*.h test/*.c "$work/test/" && cp -r port/soft "$work/port/"
  rm "$work/test/fuzz.c"
  gcc -std=c11 -O1 -w -DPOWER_CUTS_FEW -I"$build" -I"$work/test" "$work"/test/*.c "$work"/core/*.c "$work/port/soft/crypto.c" -o "$work/tests"
  if timeout 120 "$work/tests" >"$work/out"; then
    echo "mutation NOT caught: $1"
    return 1
  fi
  echo "mutation caught: $1 ($(grep -c FAILED "$work/out") checks)"
}

mutant 'the motor runs before the store says dispensing' feeder.c 's/    if (!feeder_commit(f)) return;\n    f->has_news = true;//; /feed_begin(&f->next, now/,/f->has_news = true/ s/if (!feeder_commit(f)) return;/f->record = f->next;/'
mutant 'the high-water mark is not moved' feed.c 's/    record->high_water = command->n;//'
mutant 'only the last number is known to be old' feed.c 's/if (command->n <= record->high_water) {/if (command->n == record->high_water) {/'
mutant 'grams are not reserved' feed.c 's/    count_grams(record, at->now, grams);//'
mutant 'what was dispensing is resumed' feed.c 's/    feed_finish(record, OUTCOME_INTERRUPTED, record->active_grams, record->active_at);/    record->active = (uint8_t)((record->active \& OUTCOME_IS_MEAL) | OUTCOME_ACCEPTED);/'
