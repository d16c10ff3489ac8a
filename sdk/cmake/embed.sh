#!/bin/sh
# embed.sh HEADER FILE...   writes HEADER, in which each FILE is a string constant, for C99 and C++17 alike.
#
# "x.v14.sql" becomes embedded::x_v14_sql in C++ and embedded_x_v14_sql in C. So schemas and SQL stay plain files that editors,
# psql and validators understand. pganalytics_add_plugin() calls this; a Makefile finds it as `pkg-config --variable=embed
# pganalytics-plugin`. HEADER appears whole or not at all.
set -eu

header=$1
shift
mkdir -p "$(dirname "$header")"
trap 'rm -f "$header.new"' EXIT
{
  cat <<'TOP'
/* Generated from the files named below; edit those. */
#ifndef PGA_EMBEDDED
#ifdef __cplusplus
#define PGA_EMBEDDED(name) inline constexpr char name[]
#else
#define PGA_EMBEDDED(name) static const char embedded_##name[]
#endif
#endif
#pragma once
#pragma GCC system_header /* a literal may be longer than C99 makes a compiler take; all that matter take it */

#ifdef __cplusplus
namespace embedded {
#endif
TOP
  for file in "$@"; do
    name=$(basename "$file" | sed 's/[^A-Za-z0-9_]/_/g; s/^[0-9]/_&/')
    printf '\n/* %s */\nPGA_EMBEDDED(%s) =\n  ""\n' "$(basename "$file")" "$name"
    # Question marks too: C knows trigraphs.
    sed -e 's/\\/\\\\/g' -e 's/["?]/\\&/g' -e 's/^/  "/' -e 's/$/\\n"/' "$file"
    echo '  ;'
  done
  printf '\n#ifdef __cplusplus\n}  // namespace embedded\n#endif\n'
} >"$header.new"
mv "$header.new" "$header"
