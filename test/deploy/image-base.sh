#!/bin/sh
# Stands in for docker.io/library/node where there is no registry: a bootstrapped Debian with the Node of this checkout and npm.
#   image-base.sh <work directory> <image name>
# It proves the steps of a Dockerfile, not the base that a release is built on.
set -eu
work=$1
image=$2
root=$work/rootfs
[ -x "$root/usr/bin/apt-get" ] || debootstrap --variant=minbase bookworm "$root" >"$work/debootstrap.log" 2>&1 || { tail -5 "$work/debootstrap.log" >&2; exit 1; }
cp "$(readlink -f "$(command -v node)")" "$root/usr/local/bin/node"
npm=$(dirname "$(dirname "$(readlink -f "$(command -v npm)")")")
mkdir -p "$root/usr/local/lib/node_modules"
cp -a "$npm" "$root/usr/local/lib/node_modules/"
ln -sf ../lib/node_modules/npm/bin/npm-cli.js "$root/usr/local/bin/npm"
# As this machine reaches its registry, so does the build.
mkdir -p "$root/etc/ssl/certs"
[ ! -e /etc/ssl/certs/ca-certificates.crt ] || cp /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/"
for settings in "${HOME:-/root}/.npmrc" "${NPM_CONFIG_USERCONFIG:-}"; do [ ! -e "$settings" ] || cp "$settings" "$root/root/.npmrc"; done
rm -rf "$root"/var/cache/apt/archives/*.deb "$root"/var/lib/apt/lists/*
buildah() { command buildah --root "$work/store" --runroot "$work/run" "$@"; }
container=$(buildah from scratch)
buildah copy -q "$container" "$root" / >/dev/null
buildah config --env PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin --env NODE_EXTRA_CA_CERTS=/etc/ssl/certs/ca-certificates.crt "$container"
buildah commit -q "$container" "$image" >/dev/null
buildah rm "$container" >/dev/null
