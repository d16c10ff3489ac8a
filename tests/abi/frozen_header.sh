#!/bin/sh
# frozen_header.sh CC CURRENT FROZEN: while the minor is the frozen copy's, nothing but comments and white space may differ. Once the
# minor has risen, frozen.h keeps the promises, and the new header is frozen beside the old one.
set -eu
cc=$1 current=$2 frozen=$3

minor() { sed -n 's/^#define PGA_ABI_MINOR \([0-9]*\)u$/\1/p' "$1"; }
# Comments out, directives kept, macros not expanded.
code() { "$cc" -fpreprocessed -dD -E -P -x c "$1" | tr -d ' \t\n'; }

[ -n "$(minor "$current")" ] || { echo "no PGA_ABI_MINOR in $current"; exit 1; }
if [ "$(minor "$current")" = "$(minor "$frozen")" ]; then
  [ "$(code "$current")" = "$(code "$frozen")" ] && exit 0
  echo "$current differs from $frozen, which was released: raise PGA_ABI_MINOR and freeze the new header too"
  exit 1
fi
next=$(dirname "$(dirname "$frozen")")/1.$(minor "$current")/plugin.h
[ -f "$next" ] || { echo "PGA_ABI_MINOR has risen, and there is no $next"; exit 1; }
