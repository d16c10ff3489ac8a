#!/usr/bin/env bash
# The delivery fault suite: kills, torn writes, full disks, broken networks, each run ending with the oracle.
#
#   tests/fault/run.sh                      the short subset (what tests/run.sh runs too)
#   tests/fault/run.sh --all                every run of the matrix, then the whole corruption sweep (S4, S5: tests/core/spool/sweep)
#                                           and 12,000 idle connections (B3: tests/abuse/api)
#   tests/fault/run.sh [--seed N] [--jobs N] [--keep] [SCENARIO[/RUN] | ROW]...
#   tests/fault/run.sh --list
#
# Installs and builds what it needs. Exit status: 0 the oracle held in every run, and --all killed as often as it promises; 1 it did not; 2 usage.
set -euo pipefail
cd "$(dirname "$0")/../.."
case "${1:-}" in -h | --help) exec sed -n '2,10p' "$0" ;; esac
. packaging/dependencies.sh
install_packages "${build_packages[@]}" "${run_packages[@]}" "${test_packages[@]}" >&2
all=false sweep=false
arguments=()
for argument in "$@"; do
  case "$argument" in
    S4 | S5) sweep=true ;;
    --all) all=true sweep=true arguments+=(--all) ;;
    *) arguments+=("$argument") ;;
  esac
done
configure_and_build "${PRESET:-dev}" pganalytics pganalytics-server pganalytics-worker fault_delivery spool_sweep >&2
export PGANALYTICS_BINARY_DIR="$PWD/build"
status=0
if $all || ! $sweep || ((${#arguments[@]})); then python3 tests/fault/delivery/run.py "${arguments[@]}" || status=$?; fi
if $sweep; then build/tests/spool_sweep --jobs "$(nproc)" || status=1; fi
if $all; then PGANALYTICS_IDLE_CONNECTIONS=12000 /usr/bin/python3 -m pytest -q -p no:cacheprovider tests/abuse/api/test_idle_connections.py || status=1; fi
exit $status
