#!/usr/bin/env bash
# Builds the fuzz targets with libFuzzer, ASan and UBSan, and runs each for a while, as many at a time as there are cores.
#
#   tests/fuzz/run.sh                       every target, 60 s each
#   tests/fuzz/run.sh --seconds 600 frames  one target, longer
#   tests/fuzz/run.sh --list
#
# What is found new goes into build-fuzz/corpus/<target>, and is begun with the next time; an input that breaks a target, its report
# beside it, into build-fuzz/findings/<target>. Exit status: 0 nothing was found, 1 something was, 2 usage.
set -euo pipefail
cd "$(dirname "$0")/../.."
. packaging/dependencies.sh

seconds=60 targets=()
all() { for source in tests/fuzz/*_fuzz.cpp; do basename "$source" _fuzz.cpp; done; }
while [ $# -gt 0 ]; do
  case $1 in
    -h | --help) sed -n '2,9p' "$0"; exit 0 ;;
    --list) all; exit 0 ;;
    --seconds) [[ ${2:-} =~ ^[0-9]+$ ]] || { echo "error: --seconds wants a number" >&2; exit 2; }; seconds=$2; shift ;;
    -*) echo "error: unknown option $1" >&2; sed -n '4,6p' "$0" >&2; exit 2 ;;
    *) [ -e "tests/fuzz/$1_fuzz.cpp" ] || { echo "error: no target $1" >&2; echo "HINT: tests/fuzz/run.sh --list names them." >&2; exit 2; }; targets+=("$1") ;;
  esac
  shift
done
[ ${#targets[@]} -gt 0 ] || mapfile -t targets < <(all)

install_packages "${build_packages[@]}" "${test_packages[@]}"
configure_and_build fuzz "${targets[@]/%/_fuzz}"

# run_target NAME SECONDS: one line about how it went.
run_target() {
  local name=$1 corpus=build-fuzz/corpus/$1 findings=build-fuzz/findings/$1 options=() log status=0 result=ok
  mkdir -p "$corpus" "$findings"
  log=$findings/log
  [ ! -e "tests/fuzz/dictionaries/$name.dict" ] || options+=("-dict=tests/fuzz/dictionaries/$name.dict")
  # libFuzzer's malloc limit stands for "a length is checked before it is allocated".
  "build-fuzz/tests/${name}_fuzz" -max_total_time="$2" -max_len=16384 -timeout=20 -rss_limit_mb=2048 -malloc_limit_mb=256 -print_final_stats=1 \
    -artifact_prefix="$findings/" "${options[@]}" "$corpus" "tests/fuzz/corpus/$name" >"$log" 2>&1 || status=$?
  [ "$status" -eq 0 ] || result="FOUND: see $log"
  printf '%-24s %12s executions %7s edges %8s features  %s\n' "$name" \
    "$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")" "$(grep -o 'cov: [0-9]*' "$log" | tail -n 1 | cut -d' ' -f2)" \
    "$(grep -o 'ft: [0-9]*' "$log" | tail -n 1 | cut -d' ' -f2)" "$result"
  return $((status != 0))
}
export -f run_target
export ASAN_OPTIONS=detect_leaks=1:allocator_may_return_null=1 UBSAN_OPTIONS=print_stacktrace=1

status=0
printf '%s\0' "${targets[@]}" | xargs -0 -P "$(nproc)" -I{} bash -c 'run_target "$1" "$2"' _ {} "$seconds" || status=1
exit $status
