#!/bin/sh
# machines.sh SOURCE_DIR: the assertions of every frozen ABI hold on each machine we promise, and refuse the ones we do not. By clang's own
# headers (-ffreestanding), which need no library of that machine.
set -eu
root=$1
command -v clang >/dev/null || { echo "skipped: clang is not here, and gcc knows one machine only"; exit 77; }
failed=0
holds() {
  clang "--target=$1-linux-gnu" -ffreestanding -std=c11 -Wall -Wextra -Wpedantic -Wpadded -Werror -fsyntax-only -x c \
    "-I$root/sdk/include" "$2" 2>&1
}
for frozen in "$root"/sdk/abi/1.*/frozen.h; do
  for machine in x86_64 aarch64 riscv64 powerpc64le; do
    said=$(holds "$machine" "$frozen") || { failed=1; echo "$machine, $frozen:"; echo "$said"; }
  done
  for machine in i686 armv7 s390x; do  # 32 bits, 32 bits, big-endian
    said=$(holds "$machine" "$frozen") && { failed=1; echo "$machine, $frozen: accepted"; }
  done
done
exit "$failed"
