#!/usr/bin/env bash
# Builds and runs every test, after installing what they need.
#
#   tests/run.sh                 everything
#   tests/run.sh NAME            the tests whose name matches NAME (a regular expression; `ctest -N` in build/ lists them)
#   tests/run.sh asan | tsan     everything, under the sanitizers
#   tests/run.sh coverage        everything, then line coverage of core/ and plugins/ (text, and HTML in build-coverage/html)
#   tests/run.sh format | tidy   clang-format and clang-tidy over the sources
#   tests/run.sh --help
#
# Needs no network but for packages, no systemd, no running database. Exit status: 0 all passed, 1 something failed.
set -euo pipefail
cd "$(dirname "$0")/.."
. packaging/dependencies.sh

# The tests' own limits hold on two cores; more jobs than cores keep them busy while others wait for processes to start or stop.
jobs=$(( $(nproc) * 2 ))

sources() { git ls-files -co --exclude-standard "$@" 2>/dev/null || find core plugins sdk tests -name '*.h' -o -name '*.hpp' -o -name '*.cpp'; }

run_ctest() {  # run_ctest BUILD_DIR [ctest arguments]
  local build=$1; shift
  ctest --test-dir "$build" --output-on-failure --parallel "$jobs" --no-tests=error "$@"
}

build_and_test() {  # build_and_test PRESET BUILD_DIR [ctest arguments]
  local preset=$1 build=$2; shift 2
  install_packages "${build_packages[@]}" "${run_packages[@]}" "${test_packages[@]}"
  configure_and_build "$preset"
  run_ctest "$build" "$@"
}

case "${1:-}" in
  -h | --help) sed -n '2,11p' "$0" ;;
  asan)
    export ASAN_OPTIONS=detect_leaks=1:abort_on_error=0 UBSAN_OPTIONS=print_stacktrace=1
    shift; build_and_test asan build-asan "$@" ;;
  tsan) shift; build_and_test tsan build-tsan "$@" ;;
  coverage)
    install_packages "${check_packages[@]}"
    find build-coverage -name '*.gcda' -delete 2>/dev/null || true
    status=0; build_and_test coverage build-coverage -L 'unit|system' || status=$?
    mkdir -p build-coverage/html
    gcovr --root . --object-directory build-coverage --filter core/ --filter plugins/ --exclude-throw-branches --exclude-unreachable-branches \
      --gcov-ignore-parse-errors --print-summary --html-details build-coverage/html/index.html --txt build-coverage/coverage.txt -j "$(nproc)"
    tail -n 4 build-coverage/coverage.txt
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
