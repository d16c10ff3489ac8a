#!/usr/bin/env bash
# The delivery fault suite: kills, torn writes, full disks, broken networks, each run ending with the oracle.
#
#   tests/fault/run.sh                      the short subset (what tests/run.sh runs too)
#   tests/fault/run.sh --all                every run of the matrix, then the whole corruption sweep (tests/core/spool/sweep)
#   tests/fault/run.sh [--seed N] [--jobs N] [--keep] [SCENARIO[/RUN] | ROW]...
#   tests/fault/run.sh --list
#
# Installs and builds what it needs. Exit status: 0 the oracle held in every run, 1 it did not, 2 usage.
set -euo pipefail
cd "$(dirname "$0")/../.."
case "${1:-}" in -h | --help) exec sed -n '2,9p' "$0" ;; esac
. packaging/dependencies.sh
install_packages "${build_packages[@]}" "${run_packages[@]}" "${test_packages[@]}" >&2
all=false
for argument in "$@"; do [ "$argument" != --all ] || all=true; done
configure_and_build "${PRESET:-dev}" pganalytics pganalytics-server pganalytics-worker fault_delivery spool_sweep >&2
status=0
PGANALYTICS_BINARY_DIR="$PWD/build" python3 tests/fault/delivery/run.py "$@" || status=$?
if $all; then build/tests/spool_sweep --jobs "$(nproc)" || status=1; fi
exit $status
