#!/usr/bin/env bash
# Faults in the feeding machine and in what takes another firmware, made on purpose: each must make the tests fail. mutations.sh <build
# folder with vectors.h>
set -euo pipefail
cd "$(dirname "$0")/.."
build=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

count=0
mutant() { # <what> <file> <sed expression>: two at a time
  count=$((count + 1))
  if [ $count -gt 2 ]; then wait -n; fi
  one "$work/$count" "$@" &
}

one() { # <folder> <what> <file> <sed expression>
  local work=$1 what=$2 file=$3
  mkdir -p "$work/port"
  cp -r core test "$work/"
  sed -i "$4" "$work/core/$file"
  if cmp -s "core/$file" "$work/core/$file"; then
    echo "mutation: nothing to change for: $what"
    return 1
  fi
  cp port/*.h "$work/port/" && cp -r port/soft "$work/port/"
  rm "$work/test/fuzz.c"
  gcc -std=c11 -O1 -w -DPOWER_CUTS_FEW -I"$build" -I"$work/test" "$work"/test/*.c "$work"/core/*.c "$work/port/soft/crypto.c" -o "$work/tests"
  if timeout 120 "$work/tests" >"$work/out"; then
    echo "mutation NOT caught: $what"
    return 1
  fi
  echo "mutation caught: $what ($(grep -c FAILED "$work/out") checks)"
}

mutant 'the motor runs before the store says dispensing' feeder.c 's/    if (!feeder_commit(f)) return;\n    f->has_news = true;//; /feed_begin(&f->next, now/,/f->has_news = true/ s/if (!feeder_commit(f)) return;/f->record = f->next;/'
mutant 'the high-water mark is not moved' feed.c 's/    record->high_water = command->n;//'
mutant 'only the last number is known to be old' feed.c 's/if (command->n <= record->high_water) {/if (command->n == record->high_water) {/'
mutant 'grams are not reserved' feed.c 's/    count_grams(record, at->now, grams);//'
mutant 'what was dispensing is resumed' feed.c 's/    feed_finish(record, OUTCOME_INTERRUPTED, record->active_grams, record->active_at);/    record->active = (uint8_t)((record->active \& OUTCOME_IS_MEAL) | OUTCOME_ACCEPTED);/'
mutant 'an image boots without its digest' fetch.c 's/    if (memcmp(digest, release->digest, sizeof digest) != 0) {/    if (false) {/'
mutant 'a new firmware stays without an answer' feeder.c 's/    if (feeder_trial_left_s(f) == 0 \&\& /    if (false \&\& /'
mutant 'a choice to boot is not counted' update.c 's/    update->boots++;//'
# Each is waited for by itself: `wait` alone would forget how they ended.
while [ -n "$(jobs -p)" ]; do wait -n; done
