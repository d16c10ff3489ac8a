#!/bin/sh
# include_arrows.sh ROOT: every #include between our folders is one that the file "arrows" allows. Prints each that is not.
set -eu
root=$1
rules=$root/tests/tree/arrows
cd "$root"

grep -rnE '^[[:space:]]*#[[:space:]]*include[[:space:]]*["<]((core|plugins|sdk|tests|packaging)/|\.\./)' core plugins sdk \
  --include='*.h' --include='*.hpp' --include='*.c' --include='*.cpp' |
  awk -v rules="$rules" '
    # The unit of the rules: core/host/worker/x.h belongs to core/host, everything of sdk/ to sdk.
    function unit(path, part) { split(path, part, "/"); return part[1] == "sdk" ? "sdk" : part[1] "/" part[2] }
    function rule_of(folder) { return folder ~ /^plugins\// ? "plugins/*" : folder }
    BEGIN {
      leaves = "core/clock core/log core/files core/backoff core/crypto core/compression core/schema core/instance core/terminal core/telemetry"
      while ((getline line < rules) > 0) {
        if (line ~ /^#/ || line !~ /:/) continue
        folder = line; sub(/:.*/, "", folder)
        sub(/^[^:]*:/, "", line); sub(/\$leaves/, leaves, line)
        seen[folder] = 1
        count = split(line, names, " ")
        for (i = 1; i <= count; i++) {
          if (!(names[i] in seen)) { print rules ": " folder " may include " names[i] ", which stands below it"; bad = 1 }
          allowed[folder, names[i]] = 1
        }
      }
    }
    {
      split($0, field, ":"); from = unit(field[1])
      to = $0; sub(/^[^"<]*["<]/, "", to); sub(/[">].*/, "", to)
      if (to ~ /^\.\./) { print field[1] ":" field[2] ": includes are rooted at the top: " to; bad = 1; next }
      if (unit(to) == from || (rule_of(from), unit(to)) in allowed) next
      print field[1] ":" field[2] ": " from " may not include " to; bad = 1
    }
    END { exit bad }'

# The fake host is for tests, and for the program that tests plugins.
if grep -rln 'pganalytics/testhost' core plugins --include='*.h' --include='*.cpp' --include='*.c' | grep -v '^core/validator/checker/'; then
  echo "these include the fake host, which is for tests"
  exit 1
fi
