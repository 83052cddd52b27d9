#!/bin/bash
# Builds images out of docker/ with buildah, on the base of image-base.sh: images.sh <work directory> <image>...
# An image is gateway, web, local, lambda or gateway-arm64. What is there already, of the same sources, is not built again, so
# `.ci/run` has them built while other tests run.
set -euo pipefail
cd "$(dirname "$0")/../.."
# The Node of this checkout, whatever the machine has.
export PATH="$PWD/node_modules/.bin:$PATH"
work=$1
shift
here=$(dpkg --print-architecture)
mkdir -p "$work"
exec 9>"$work/lock"
flock 9
buildah() { command buildah --root "$work/store" --runroot "$work/run" "$@"; }
sources=$(git ls-files -co --exclude-standard -z -- docker contract coap gateway bridge-lambda ops-lambda local cli web \
  package.json package-lock.json .dockerignore test/deploy | xargs -0 sha256sum 2>/dev/null | sha256sum)

once() { # <name> <command>: unless it was done with these sources
  local done=$work/$1.done name=$1
  shift
  [[ -e $done && $(<"$done") == "$sources" ]] && return
  echo "making $name" >&2
  "$@"
  echo "$sources" >"$done"
}

base() { # <image> [arm64]
  test/deploy/image-base.sh "$work" "localhost/$1:test" "${@:2}" 9>&-
}

build() { # <folder> <image> <base> <machine> <arguments of buildah>
  buildah bud --format docker --isolation chroot --pull-never --network host --quiet --platform "linux/$4" \
    --build-arg "BASE=localhost/$3:test" --build-arg "BUILDPLATFORM=linux/$here" \
    -f "docker/$1/Dockerfile" -t "localhost/pesebre-$2" "${@:5}" . >/dev/null 9>&-
}

for image; do
  case $image in
    gateway-arm64) once base-arm64 base base-both arm64 ;;
    *) once base base base ;;
  esac
  case $image in
    gateway | web | lambda) once "$image" build "$image" "$image" base "$here" --target image ;;
    gateway-arm64) once "$image" build gateway gateway-arm64 base-both arm64 --target image ;;
    local) once "$image" build local local base "$here" ;;
  esac
done
