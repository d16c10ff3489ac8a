#!/bin/sh
# compile_matrix.sh SOURCE_DIR RAPIDJSON_DIR: every public header of the SDK, alone and in use, with each compiler that is here and each
# standard it claims, is silent at the warnings an author may have on. Prints what is not; says what was skipped.
set -eu
root=$1 rapidjson=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
warnings='-Wall -Wextra -Wpedantic -pedantic-errors -Wpadded -Wconversion -Wshadow -Werror'
include="-I$root/sdk/include -I$root/sdk/testing/include -idirafter $rapidjson"
failed=0 count=0

# compile COMPILER STANDARD FILE [FLAG...]
compile() {
  compiler=$1 standard=$2 file=$3
  shift 3
  count=$((count + 1))
  # The warnings come from what the file includes: templates are instantiated, code is generated, nothing is kept.
  "$compiler" "-std=$standard" $warnings $include "$@" -c -o /dev/null "$file" >"$work/said" 2>&1 && [ ! -s "$work/said" ] && return
  failed=$((failed + 1))
  echo "$compiler -std=$standard $file:"
  cat "$work/said"
}

# alone HEADER.. -> one file each that includes it twice and nothing else.
alone() {
  for header in "$@"; do
    name=$(basename "$header")
    for suffix in c cpp; do
      printf '#include <pganalytics/%s>\n#include <pganalytics/%s>\nextern int pga_nothing;\n' "$name" "$name" >"$work/$name.$suffix"
    done
  done
}
alone "$root"/sdk/include/pganalytics/*.h* "$root"/sdk/testing/include/pganalytics/*.h*
use=$root/tests/abi/use

for pair in gcc:g++ clang:clang++; do
  cc=${pair%:*} cxx=${pair#*:}
  command -v "$cc" >/dev/null && command -v "$cxx" >/dev/null || { echo "skipped: $cc and $cxx are not both here"; continue; }
  for standard in c99 c11 c17; do
    for file in "$work"/*.h.c "$use"/plugin.c; do compile "$cc" "$standard" "$file"; done
  done
  for standard in c++11 c++14 c++17 c++20; do
    for file in "$work"/*.h.cpp; do compile "$cxx" "$standard" "$file"; done
    compile "$cxx" "$standard" "$use/plugin.c" -x c++
  done
  # The comforts in C++ need C++17.
  for standard in c++17 c++20; do
    for file in "$work"/*.hpp.cpp "$use"/plugin.cpp; do compile "$cxx" "$standard" "$file"; done
  done
done
echo "$count compilations, $failed failed"
[ "$count" -gt 0 ] && [ "$failed" = 0 ]
