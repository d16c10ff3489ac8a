#!/usr/bin/env bash
# The whole of pgAnalytics on one machine, for a look: installs what it needs, builds, starts a throwaway PostgreSQL with some traffic, the
# server and the collector, and shows what the API says about them. Ctrl-C stops everything.
#
#   packaging/quickstart.sh               a live view in the terminal
#   packaging/quickstart.sh --check       no terminal: exit 0 once documents of all four plugins came back through the API,
#                                         1 with the reason after 120 s
#   packaging/quickstart.sh --dir DIR     keep databases, keys and logs in DIR (default: a temporary folder, removed at the end)
#   packaging/quickstart.sh --help
#
# Listens on 127.0.0.1 only. Runs as root (the databases then run as user postgres) or as any user.
set -euo pipefail
cd "$(dirname "$0")/.."
. packaging/dependencies.sh

usage() { sed -n '2,12p' "$0" | sed 's/^# \{0,1\}//'; }
say() { printf '%s  %s\n' "$(date +%T)" "$*"; }
fail() { echo "error: $1" >&2; [ -z "${2:-}" ] || echo "HINT: $2" >&2; exit 1; }

check=no
dir=
while [ $# -gt 0 ]; do
  case "$1" in
    --check) check=yes ;;
    --dir) [ $# -ge 2 ] || fail "--dir needs a folder"; dir=$2; shift ;;
    -h | --help) usage; exit 0 ;;
    *) echo "error: unknown argument $1" >&2; usage >&2; exit 2 ;;
  esac
  shift
done

plugins=(pg_stats sysstat logs disk)
pids=()       # what we started, in order
keep=yes
cleanup() {
  trap - EXIT INT TERM
  [ ${#pids[@]} -eq 0 ] || say "stopping"
  local i
  for ((i = ${#pids[@]} - 1; i >= 0; i--)); do
    kill "${pids[$i]}" 2>/dev/null || continue
    wait "${pids[$i]}" 2>/dev/null || true
  done
  [ -z "${pg_bin:-}" ] || [ ! -e "$dir/postgres/postmaster.pid" ] || as_database_user "$pg_bin/pg_ctl" -D "$dir/postgres" -m fast -s stop || true
  [ $keep = yes ] || rm -rf "$dir"
}
trap cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# -- packages and build --------------------------------------------------------------------------------------------------------
install_packages "${build_packages[@]}" "${run_packages[@]}"
say "building (the first time takes a few minutes)"
mkdir -p build-release
build_log=build-release/quickstart-build.log
if [ -t 1 ]; then configure_and_build release; else
  configure_and_build release >"$build_log" 2>&1 || { tail -n 30 "$build_log" >&2; fail "the build failed" "The whole output is in $build_log."; }
fi
bin=$PWD/build-release/bin

# -- a folder that both we and the databases' user can reach --------------------------------------------------------------------
if [ -z "$dir" ]; then dir=$(mktemp -d /tmp/pganalytics-quickstart-XXXXXX); keep=no; fi
mkdir -p "$dir" && dir=$(cd "$dir" && pwd) && chmod 755 "$dir"
pg_bin=$(find /usr/lib/postgresql -path '*/bin/postgres' 2>/dev/null | sort -V | tail -n 1 | xargs -r dirname)
[ -n "$pg_bin" ] || pg_bin=$(dirname "$(command -v postgres || fail "no PostgreSQL server found" "Install the package postgresql.")")
as_database_user() { if [ "$(id -u)" = 0 ]; then (cd / && exec runuser -u postgres -- "$@"); else "$@"; fi; }
as_database_user test -x "$dir" || fail "user postgres cannot enter $dir" "Choose a folder under /tmp or /var with --dir."

# -- a throwaway PostgreSQL with tables and traffic ------------------------------------------------------------------------------
say "starting a throwaway PostgreSQL in $dir/postgres"
if [ ! -e "$dir/postgres/PG_VERSION" ]; then
  mkdir -p "$dir/postgres"; [ "$(id -u)" != 0 ] || chown postgres "$dir/postgres"; chmod 700 "$dir/postgres"
  as_database_user "$pg_bin/initdb" -D "$dir/postgres" -A trust -U postgres --no-sync >"$dir/initdb.log" 2>&1 || { tail "$dir/initdb.log" >&2; fail "initdb failed"; }
  cat >>"$dir/postgres/postgresql.conf" <<CONF
listen_addresses = ''
unix_socket_directories = '$dir/postgres'
logging_collector = on
log_directory = 'log'
log_min_duration_statement = 500ms
fsync = off
CONF
fi
as_database_user "$pg_bin/pg_ctl" -D "$dir/postgres" -w -s -l "$dir/postgres/start.log" start || { tail "$dir/postgres/start.log" >&2; fail "PostgreSQL did not start"; }
conninfo="host=$dir/postgres user=postgres dbname=postgres"
sql() { psql -X -q -At -d "host=$dir/postgres user=postgres dbname=${2:-shop}" -c "$1"; }
if [ "$(sql "select count(*) from pg_database where datname = 'shop'" postgres)" = 0 ]; then
  sql 'create database shop' postgres
  "$pg_bin/pgbench" -i -q -s 2 -h "$dir/postgres" -U postgres shop >"$dir/pgbench-init.log" 2>&1
fi
"$pg_bin/pgbench" -n -c 2 -R 30 -T 86400 -h "$dir/postgres" -U postgres shop >"$dir/pgbench.log" 2>&1 & pids+=($!)
# Something for the log to say. The trap ends the nap too, so that nothing outlives this script.
(
  trap 'kill $nap 2>/dev/null; exit' TERM
  while :; do
    sleep 3 & nap=$!
    wait $nap || true
    sql 'select 1/0' >/dev/null 2>&1 || true
    sql 'select * from no_such_table' >/dev/null 2>&1 || true
  done
) & pids+=($!)

# -- the server -------------------------------------------------------------------------------------------------------------------
port=8443
while (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; do port=$((port + 1)); done
url=https://127.0.0.1:$port
cat >"$dir/server.toml" <<CONF
[server]
listen = "127.0.0.1:$port"
data_dir = "$dir/server"
CONF
say "starting pganalytics-server at $url"
"$bin/pganalytics-server" run --config "$dir/server.toml" >"$dir/server.log" 2>&1 & server_pid=$!; pids+=($server_pid)
ca=$dir/server/ca.crt
for ((i = 0; ; i++)); do
  curl -s --cacert "$ca" "$url/api/v1/health" >/dev/null 2>&1 && break
  kill -0 $server_pid 2>/dev/null || { tail "$dir/server.log" >&2; fail "the server ended" "Its log is $dir/server.log."; }
  [ $i -lt 300 ] || { tail "$dir/server.log" >&2; fail "the server is not ready after 60 s"; }
  sleep 0.2
done
server_cli() { "$bin/pganalytics-server" "$@" --config "$dir/server.toml" --json; }
key=$(server_cli key create --role viewer | jq -re .key)

# -- the collector ----------------------------------------------------------------------------------------------------------------
cat >"$dir/pganalytics.toml" <<CONF
[collector]
name = "quickstart"
state_dir = "$dir/collector"

[backend]
url = "$url"
ca_file = "$ca"

[plugins.pg_stats]
enabled = true
interval = "5s"
conninfo = "$conninfo"

[plugins.sysstat]
enabled = true
interval = "5s"

[plugins.disk]
enabled = true
interval = "10s"
conninfo = "$conninfo"

[plugins.logs]
enabled = true
interval = "5s"
paths = ["$dir/postgres/log/*.log"]
start = "beginning"
CONF
id=
[ ! -e "$dir/collector/identity/identity.json" ] || id=$(jq -re .collector_id "$dir/collector/identity/identity.json")
if [ -z "$id" ]; then
  say "registering the collector"
  token=$(server_cli token create --ttl 10m)
  id=$(jq -re .token <<<"$token" | "$bin/pganalytics" register --config "$dir/pganalytics.toml" --token-file - --ca-pin "$(jq -re .ca_pin <<<"$token")" --json | jq -re .id)
fi
say "starting pganalytics as collector $id"
"$bin/pganalytics" run --config "$dir/pganalytics.toml" >"$dir/collector.log" 2>&1 & collector_pid=$!; pids+=($collector_pid)

# -- read it back -----------------------------------------------------------------------------------------------------------------
api() { curl -sf --cacert "$ca" -H "Authorization: Bearer $key" "$url/api/v1/$1"; }
newest() { api "servers/$id/metrics?type=$1&limit=1"; }
arrived() { newest "$1" 2>/dev/null | jq -e '.metrics | length > 0' >/dev/null; }

missing=("${plugins[@]}")
say "waiting for documents of ${missing[*]}"
for ((i = 0; ; i++)); do
  still=()
  for plugin in "${missing[@]}"; do
    if arrived "$plugin"; then say "  $plugin: arrived"; else still+=("$plugin"); fi
  done
  missing=("${still[@]}")
  [ ${#missing[@]} -gt 0 ] || break
  kill -0 $collector_pid 2>/dev/null || { tail "$dir/collector.log" >&2; keep=yes; fail "the collector ended" "Its log is $dir/collector.log."; }
  [ $i -lt 240 ] || { tail "$dir/collector.log" >&2; keep=yes; fail "no documents of ${missing[*]} after 120 s" "See $dir/collector.log and $dir/server.log."; }
  sleep 0.5
done

draw() {
  printf 'pgAnalytics quickstart   collector %s   %s\n\n' "$id" "$(date +%T)"
  newest sysstat | jq -r '.metrics[0].document | "CPU     user \(.cpu.user // 0 | . * 100 | round)%  system \(.cpu.system // 0 | . * 100 | round)%  iowait \(.cpu.iowait // 0 | . * 100 | round)%   memory \((.memory.total - .memory.available) / 1048576 | round) of \(.memory.total / 1048576 | round) MiB in use"'
  echo
  # What is read less often, or has not changed since, is in an earlier document than the newest: the last word on each counts.
  api "servers/$id/metrics?type=pg_stats&limit=200" >"$dir/pg_stats.json"
  echo 'DATABASES                 size MiB   commits     rollbacks'
  jq -r 'def last_words: group_by(.key) | map(first);
    [.metrics[].document.databases[]] as $all
    | ([$all[] | select(.database_size) | {key: .name, size: .database_size.size_bytes}] | last_words | map({(.key): .size}) | add) as $sizes
    | [$all[] | select(.database) | {key: .name, d: .database}] | last_words[] | [.key, ($sizes[.key] // 0) / 1048576, .d.xact_commit, .d.xact_rollback] | @tsv' "$dir/pg_stats.json" |
    awk -F'\t' '{printf "  %-22s %10.1f %9d %13d\n", $1, $2, $3, $4}'
  echo 'BUSIEST TABLES            size MiB  full scans  rows changed'
  jq -r 'def last_words: group_by(.key) | map(first);
    [.metrics[].document.databases[]] as $all
    | ([$all[] | .name as $db | .storage.rows[]? | {key: "\($db).\(.name)", size: .heap_bytes}] | last_words | map({(.key): .size}) | add) as $sizes
    | [$all[] | .name as $db | .tables.rows[]? | {key: "\($db).\(.name)", n: .seq_scans, c: (.tuples_inserted + .tuples_updated + .tuples_deleted)}]
    | last_words | sort_by(-.c) | .[:5][] | [.key, ($sizes[.key] // 0) / 1048576, .n, .c] | @tsv' "$dir/pg_stats.json" |
    awk -F'\t' '{printf "  %-22s %10.1f %11d %13d\n", $1, $2, $3, $4}'
  echo 'DISKS                     used GiB  total GiB'
  newest disk | jq -r '.metrics[0].document.filesystems[:4][] | [.mount_point, (.used_bytes // 0) / 1073741824, (.total_bytes // 0) / 1073741824] | @tsv' |
    awk -F'\t' '{printf "  %-22s %10.1f %10.1f\n", $1, $2, $3}'
  echo 'LAST LOG LINES'
  newest logs | jq -r '.metrics[0].document.events[-4:][] | "  \(.timestamp) \(.severity): \(.message)"' | cut -c 1-110
  printf '\nAPI  %s/api/v1/servers/%s/metrics   key %s\nCA   %s\nlogs %s\n' "$url" "$id" "$key" "$ca" "$dir/{server,collector}.log"
}

if [ $check = yes ]; then
  draw
  say "all four plugins were read back through the API"
  exit 0
fi
while kill -0 $collector_pid 2>/dev/null && kill -0 $server_pid 2>/dev/null; do
  screen=$(draw)
  [ ! -t 1 ] || printf '\033[H\033[2J'
  printf '%s\n\nCtrl-C stops everything.\n' "$screen"
  sleep 3
done
keep=yes
fail "the collector or the server ended" "See $dir/collector.log and $dir/server.log."
