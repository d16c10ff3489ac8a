#!/bin/sh
# rust.sh RUSTC VERSION SOURCE_DIR PLUGIN CC: the Rust example exports one symbol, and its mirror has the layout of the C header.
set -eu
rustc=$1 version=$2 source=$3 plugin=$4 cc=$5
case $rustc in
  "" | *NOTFOUND) echo "skipped: there is no rustc on this machine"; exit 77 ;;
esac
[ -f "$plugin" ] || { echo "skipped: rustc $version is older than 1.77, which the example asks for"; exit 77; }

exported=$(nm -D --defined-only "$plugin" | awk '{print $NF}')
[ "$exported" = pga_plugin_v1 ] || { echo "$plugin exports: $exported"; exit 1; }

# The lines size!(...) and at!(...) of pga.rs, as assertions of C.
assertions=$(mktemp /tmp/pga-rust-layout-XXXXXX.c)
trap 'rm -f "$assertions"' EXIT
{
  echo '#include <pganalytics/plugin.h>'
  sed -nE -e 's/r#type/type/' \
    -e 's/^size!\((.*), ([0-9]+)\);$/_Static_assert(sizeof(\1) == \2, "\1");/p' \
    -e 's/^at!\((.*), (.*), ([0-9]+)\);$/_Static_assert(offsetof(\1, \2) == \3, "\1.\2");/p' "$source/sdk/examples/rust/pga.rs"
} >"$assertions"
count=$(grep -c _Static_assert "$assertions")
[ "$count" -gt 50 ] || { echo "only $count lines of layout found in pga.rs"; exit 1; }
for header in "$source/sdk/include" "$source/sdk/abi/1.0"; do
  # The frozen copy lies beside its folder's other files, without the folder "pganalytics" around it.
  sed "s|<pganalytics/plugin.h>|\"$(find "$header" -name plugin.h)\"|" "$assertions" | "$cc" -std=c11 -fsyntax-only -x c -
done
echo "one symbol, $count places as in C"
