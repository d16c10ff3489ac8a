#!/bin/sh
# mutations.sh CC CXX SOURCE_DIR: shows that the guards of the ABI bite. Each line of the table spoils a copy of plugin.h in one way and says who
# must notice: the assertions of sdk/abi/1.0/frozen.h (as C11 and as C++11, run where texts are compared) and abidiff (which cannot
# see constants, names, texts or const; hence both). "-" under abidiff: it is not held to anything.
set -eu
cc=$1 cxx=$2 root=$3
header=$root/sdk/include/pganalytics/plugin.h
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$work/as_is/pganalytics" "$work/spoilt/pganalytics"
failed=0 count=0

anchor() { "$cc" -g -O0 -fPIC -shared -w "-I$work/$1" "$root/tests/abi/anchor.c" -o "$work/$1.so"; }
# Do the assertions accept the spoilt header? Both languages must be of one mind.
accepts() { # yes or no, FLAGS
  for language in "$cc -std=c11 -x c" "$cxx -std=c++11 -x c++"; do
    $language -w $2 "-I$work/spoilt" "-I$root" "$root/tests/abi/frozen.c" -o "$work/frozen" 2>"$work/said" &&
      "$work/frozen" 2>>"$work/said" && echo yes || echo no
  done | sort -u | tr -d '\n' >"$work/verdict"
  [ "$(cat "$work/verdict")" = "$1" ]
}
wrong() {
  failed=$((failed + 1))
  echo "$*"
}

cp "$header" "$work/as_is/pganalytics/"
anchor as_is
command -v abidiff >/dev/null || echo "skipped: abidiff is not here (abigail-tools)"

# change ASSERTIONS(yes: accept, no) ABIDIFF(0: none seen, 4: seen, -) NAME SED
change() {
  count=$((count + 1))
  sed "$4" "$header" >"$work/spoilt/pganalytics/plugin.h"
  if cmp -s "$header" "$work/spoilt/pganalytics/plugin.h"; then
    wrong "$3: the mutation does not apply any more"
    return
  fi
  accepts "$1" "" || wrong "$3: the assertions should have said '$1' to: $4: $(head -3 "$work/said")"
  [ "$2" != - ] && command -v abidiff >/dev/null || return 0
  anchor spoilt
  code=0
  abidiff "$work/as_is.so" "$work/spoilt.so" >"$work/said" || code=$?
  [ "$code" = "$2" ] || wrong "$3: abidiff said $code, not $2"
}

change yes 0 "comment"                's/borrowed/lent/'
change no  4 "inserted in the middle" 's/^  uint64_t sequence;/  uint64_t extra;\n&/'
change no  4 "narrowed into padding"  's/^  uint32_t default_timeout_ms;/  uint16_t default_timeout_ms;/'
change no  0 "constant"               's/PGA_E_LIMIT (-9)/PGA_E_LIMIT (-11)/'
change no  0 "constant's type"        's/PGA_LOG_ERROR 1u/PGA_LOG_ERROR 1/'
change no  4 "array shrunk"           's/char message\[480\]/char message[472]/'
change no  4 "array grown"            's/char message\[480\]/char message[512]/'
change no  4 "argument's type"        's/(\*emit)(const pga_run \*run, pga_str/(*emit)(const pga_run *run, const pga_str */'
change no  4 "sign"                   's/int32_t cancel_fd/uint32_t cancel_fd/'
change no  - "renamed"                's/const char \*vendor;/const char *maker;/'
change no  - "two members swapped"    's/char \*product;/char *swap;/; s/char \*version; \/\* the/char *product; \/* the/; s/\*swap;/*version;/'
change no  - "const dropped"          's/const pga_descriptor \*descriptor;/pga_descriptor *descriptor;/'
change no  4 "member removed"         's/^  void (\*cancel)(void \*self);//'
change no  4 "frozen struct grown"    's/^  size_t len; .*/&\n  size_t capacity;/'
change no  4 "status widened"         's/typedef int32_t pga_status/typedef int64_t pga_status/'
change no  - "entry's argument"       's/pga_plugin_v1(uint32_t/pga_plugin_v1(uint64_t/'
change no  0 "entry symbol"           's/"pga_plugin_v1"/"pga_plugin_v2"/'
change no  4 "note's id grown"        's/^  char id\[36\];/  char id[40];/'
change no  0 "note's size lies"       's/^      4u, 44u,/      4u, 40u,/'
change no  4 "alignment raised"       's/^  char message\[480\]; .*/&\n  uint64_t serial;/'
# Allowed, so the assertions let it pass; abidiff tells the reviewer, and frozen_header.sh demands another minor.
change yes 4 "appended"               's/^  const void \*(\*get_extension)(void \*self, const char \*id);/&\n  void (*pause)(void *self);/'
accepts no -DPGA_FROZEN_EXACT || wrong "appended: not exactly 1.0 any more, and nobody says so"

echo "$count mutations, $failed wrong"
[ "$failed" = 0 ]
