#!/usr/bin/env bash
# Builds and runs every test, after installing what they need.
#
#   tests/run.sh                 everything
#   tests/run.sh NAME            the tests whose name matches NAME (a regular expression; `ctest -N` in build/ lists them)
#   tests/run.sh asan | tsan     everything, under the sanitizers
#   tests/run.sh coverage        everything, and how much of core/ and plugins/ that reached (HTML in build-coverage/html)
#   tests/run.sh format | tidy   clang-format and clang-tidy over the sources
#   tests/run.sh --help
#
# Needs no network but for packages (Debian's, and npm's for PostgreSQL 14 to 18: support/postgres_majors.sh), no systemd,
# no running database. Exit status: 0 all passed, 1 something failed.
set -euo pipefail
cd "$(dirname "$0")/.."
. packaging/dependencies.sh

# The tests' own limits hold on two cores; more jobs than cores keep them busy while others wait for processes to start or stop.
jobs=$(( $(nproc) * 2 ))

sources() { git ls-files -co --exclude-standard "$@" 2>/dev/null || find core plugins sdk tests -name '*.h' -o -name '*.hpp' -o -name '*.cpp'; }

run_ctest() {  # run_ctest BUILD_DIR [ctest arguments]
  local build=$1 failed; shift
  ctest --test-dir "$build" --output-on-failure --parallel "$jobs" --no-tests=error "$@" && return 0
  # What the product promises in time it promises on a machine that is not overloaded, as one with all tests at once may be.
  failed=$(grep -c . "$build/Testing/Temporary/LastTestsFailed.log") || return 1
  [ "$failed" -le 5 ] || return 1
  printf '\n== %s failed beside others; once more, each alone\n' "$failed"
  ctest --test-dir "$build" --output-on-failure --rerun-failed
}

build_and_test() {  # build_and_test PRESET BUILD_DIR [ctest arguments]
  local preset=$1 build=$2; shift 2
  install_packages "${build_packages[@]}" "${run_packages[@]}" "${test_packages[@]}"
  configure_and_build "$preset"
  # Only for a test that runs on each major: the others need no network.
  if [[ "$(ctest --test-dir "$build" -N -L postgres "$@")" != *"Total Tests: 0"* ]]; then
    tests/support/postgres_majors.sh "$build"
  fi
  export PGANALYTICS_TEST_EVERY_MAJOR=1
  run_ctest "$build" "$@"
}

# What delivery and identity rest on.
check_area() {  # check_area FOLDER: says how much of it the tests reached
  local figures failed=0
  figures=$(gcovr --root . --add-tracefile build-coverage/coverage.json --filter "$1/" --print-summary --txt build-coverage/area.txt \
    --fail-under-line 95 --fail-under-branch 85) || failed=$?
  echo "$1: $(grep -E '^(lines|branches):' <<<"$figures" | paste -sd ' ')"
  [ "$failed" = 0 ] || echo "error: $1 is below 95 % of its lines or 85 % of its branches" >&2
  return "$failed"
}

case "${1:-}" in
  -h | --help) sed -n '2,12p' "$0" ;;
  asan)
    export ASAN_OPTIONS=detect_leaks=1:abort_on_error=0 UBSAN_OPTIONS=print_stacktrace=1
    jobs=$(( $(nproc) + 1 ))  # everything takes several times as long
    shift; build_and_test asan build-asan "$@" ;;
  tsan)
    jobs=$(( $(nproc) + 1 ))
    shift; build_and_test tsan build-tsan "$@" ;;
  coverage)
    install_packages "${check_packages[@]}"
    find build-coverage -name '*.gcda' -delete 2>/dev/null || true
    status=0; build_and_test coverage build-coverage -L 'unit|system' || status=$?
    mkdir -p build-coverage/html
    # Left out of the branches:
    # - where an exception would go (gcov.py: GCC 12 does not name all of them), and what the compiler adds to a line without code;
    # - of a line that begins with PGA_TRY or PGA_CHECK, the way that hands on an error. It is the same everywhere, and the error is
    #   tested where it arises; tests/core/spool/spool_fault_sweep_test.cpp has each operation on the disk fail in its turn;
    # - single places that no test can reach: marked GCOVR_EXCL in the sources, with the reason.
    gcovr --root . --object-directory build-coverage --gcov-executable "$PWD/tests/gcov.py" --filter core/ --filter plugins/ \
      --exclude-throw-branches --exclude-unreachable-branches --exclude-branches-by-pattern '\s*PGA_(TRY|CHECK)\(' \
      --gcov-ignore-parse-errors --json build-coverage/coverage.json --html-details build-coverage/html/index.html \
      --txt build-coverage/coverage.txt -j "$(nproc)"
    tail -n 4 build-coverage/coverage.txt
    for area in core/spool core/transport core/server/auth core/config; do check_area "$area" || status=1; done
    exit $status ;;
  format)
    install_packages "${check_packages[@]}"
    # The C headers keep C's way of writing pointers; frozen headers are as they were released.
    unformatted=$(sources '*.h' '*.hpp' '*.cpp' | grep -vE '^sdk/abi/|include/pganalytics/[a-z]+\.h$' |
      xargs clang-format --dry-run --Werror 2>&1 | sed -n 's/^\([^:]*\):[0-9]*:[0-9]*: error.*/\1/p' | sort -u || true)
    [ -z "$unformatted" ] || { printf 'not formatted:\n%s\nHINT: Run clang-format -i on them.\n' "$unformatted" >&2; exit 1; } ;;
  tidy)
    install_packages "${build_packages[@]}" "${test_packages[@]}" "${check_packages[@]}"
    configure_and_build ci
    # clang-tidy is a clang: it stops at options that only GCC has.
    mkdir -p build/tidy
    sed 's/ -fno-gnu-unique//g' build/compile_commands.json >build/tidy/compile_commands.json
    sources 'core/*.cpp' 'plugins/*.cpp' | xargs -P "$(nproc)" -n 4 clang-tidy -p build/tidy --quiet ;;
  -*) echo "error: unknown option $1" >&2; sed -n '4,9p' "$0" >&2; exit 2 ;;
  "") build_and_test "${PRESET:-dev}" build ;;
  *) build_and_test "${PRESET:-dev}" build -R "$1" ;;
esac
