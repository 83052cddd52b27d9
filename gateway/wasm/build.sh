#!/usr/bin/env bash
# Builds gateway/src/security/ccm-wasm.ts of ccm.c. `--check` builds it anew and compares it with what is committed. Needs clang 14 and
# lld, as Debian 12 has them: the same compiler makes the same bytes. In TypeScript, so that it is part of every bundle.
set -euo pipefail
cd "$(dirname "$0")"
committed=../src/security/ccm-wasm.ts
made=$(mktemp)
trap 'rm -f "$made" "$made.ts"' EXIT
clang --target=wasm32 -std=c11 -Os -msimd128 -Wall -Wextra -Wshadow -Werror -ffreestanding -nostdlib \
  -Wl,--no-entry -Wl,--strip-all -Wl,-z,stack-size=4096 ccm.c -o "$made"
cat > "$made.ts" <<END
/** Made by gateway/wasm/build.sh of gateway/wasm/ccm.c: change that, and run it again. */

/** SHA-256 of ccm.c and build.sh, one after the other. */
export const SOURCES = '$(cat ccm.c build.sh | sha256sum | cut -d ' ' -f 1)'

/** The module, in base64. */
export const MODULE =
  '$(base64 -w 0 "$made")'
END
if [ "${1:-}" = --check ]; then
  cmp "$made.ts" "$committed"
  echo "WebAssembly: as committed, $(stat -c %s "$made") B"
else
  install -m 644 "$made.ts" "$committed"
fi
