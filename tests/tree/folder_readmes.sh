#!/bin/sh
# folder_readmes.sh ROOT: each folder of ours says what lives in it. Prints each that does not.
set -eu
cd "$1"
bad=0
for folder in core core/* core/server/* plugins plugins/* sdk sdk/* sdk/examples/* sdk/template/* tests tests/* packaging packaging/*; do
  # tests/core, tests/plugins and tests/sdk mirror folders that have their own; a folder without sources is not there yet.
  case $folder in tests/core | tests/plugins | tests/sdk) continue ;; esac
  [ -d "$folder" ] || continue
  [ -n "$(find "$folder" -maxdepth 1 -type f \( -name '*.cpp' -o -name '*.h' -o -name CMakeLists.txt -o -name '*.sh' -o -name '*.in' \) | head -n 1)" ] || continue
  [ -f "$folder/README.md" ] && continue
  echo "$folder has no README.md"
  bad=1
done
exit $bad
