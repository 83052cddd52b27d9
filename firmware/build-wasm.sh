#!/usr/bin/env bash
# Builds the core for the demo feeders, and what says of which sources it is. `--check` builds it anew and compares it with what is
# committed. Needs clang 14 and lld, as Debian 12 has them: the same compiler makes the same bytes.
set -euo pipefail
cd "$(dirname "$0")"
committed=../local/src/demo/feeder.wasm
out=$committed
[ "${1:-}" != --check ] || out=$(mktemp)
clang --target=wasm32 -std=c11 -Os -Wall -Wextra -Wshadow -Werror -ffreestanding -fno-builtin -nostdlib -Iport/wasm/include \
  -ffile-prefix-map="$PWD"=. -Wl,--no-entry -Wl,--strip-all -Wl,-z,stack-size=16384 \
  core/*.c port/wasm/feeder.c port/wasm/string.c -o "$out"
chmod 644 "$out"
if [ "${1:-}" = --check ]; then
  cmp "$out" "$committed"
  echo "WebAssembly: as committed, $(stat -c %s "$committed") B"
else
  ../node_modules/.bin/node ../test/firmware/wasm-sources.ts > "$committed.sha256"
fi
