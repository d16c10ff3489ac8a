#!/bin/sh
# abidiff.sh CC CURRENT FROZEN ANCHOR: libabigail's opinion of the two headers, without suppressions: no difference at all while the minor is
# the frozen one's; once it has risen, additions only, printed for who reviews them. Both sides are compiled here, by one compiler,
# because what abidw writes depends on the compiler: the baseline in git is the frozen header itself, which people can read.
set -eu
cc=$1 current=$2 frozen=$3 anchor=$4
command -v abidiff >/dev/null || { echo "skipped: abidiff is not here (abigail-tools)"; exit 77; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

minor() { sed -n 's/^#define PGA_ABI_MINOR \([0-9]*\)u$/\1/p' "$1"; }
build() {
  mkdir -p "$work/$1/pganalytics"
  cp "$2" "$work/$1/pganalytics/plugin.h"
  "$cc" -g -O0 -fPIC -shared "-I$work/$1" "$anchor" -o "$work/$1.so"
}
build frozen "$frozen"
build current "$current"

# An anchor that does not reach a struct would find nothing and say so calmly.
abidw "$work/frozen.so" >"$work/seen"
for struct in pga_str pga_error pga_host pga_run pga_descriptor pga_plugin pga_note; do
  grep -q "class-decl name='$struct'" "$work/seen" || { echo "the anchor does not reach $struct"; exit 1; }
done

code=0
abidiff "$work/frozen.so" "$work/current.so" || code=$?
[ "$code" = 0 ] && exit 0
[ "$code" = 4 ] && [ "$(minor "$current")" -gt "$(minor "$frozen")" ] && exit 0  # 8 would be an incompatible change
echo "abidiff: $code"
exit 1
