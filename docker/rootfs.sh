#!/bin/sh
# Makes a root file system that holds Node and what it is linked with, and nothing else: no shell, no package manager.
#   rootfs.sh <directory> [native addon...]
set -eu
root=$1
shift
node=$(readlink -f "$(command -v node)")
mkdir -p "$root/proc" "$root/dev" "$root/sys" "$root/usr/bin" "$root/etc/ssl/certs" "$root/tmp" "$root/var/lib/pesebre" "$root/app"
cp "$node" "$root/usr/bin/node"
strip --strip-unneeded "$root/usr/bin/node" 2>/dev/null || true
for binary in "$node" "$@"; do ldd "$binary"; done |
  awk '$2 == "=>" && $3 ~ /^\// { print $3 } $1 ~ /^\// { print $1 }' | sort -u |
  while read -r library; do
    mkdir -p "$root$(dirname "$library")"
    cp -L "$library" "$root$library"
  done
echo 'pesebre:x:65532:65532:pesebre:/app:/nologin' >"$root/etc/passwd"
echo 'pesebre:x:65532:' >"$root/etc/group"
echo 'hosts: files dns' >"$root/etc/nsswitch.conf"
# The authorities that Node itself trusts, for those that look for a file (the MQTT client).
node -e "process.stdout.write(require('node:tls').rootCertificates.join('\n') + '\n')" >"$root/etc/ssl/certs/ca-certificates.crt"
chmod 1777 "$root/tmp"
chown 65532:65532 "$root/var/lib/pesebre"
