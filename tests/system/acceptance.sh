#!/usr/bin/env bash
# The classic acceptance, readable from top to bottom: register, run for two minutes, read the metrics back.
#
#   tests/system/acceptance.sh BUILD_DIR [SECONDS]
set -euo pipefail
build=$(cd "$1" && pwd)
seconds=${2:-120}
PATH=$build/bin:$PATH
dir=$(mktemp -d /tmp/pga-acceptance-XXXXXX); chmod 755 "$dir"
pids=()
finish() {
  status=$?
  for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null && wait "$pid" || true; done
  [ ! -e "$dir/pg/postmaster.pid" ] || as_postgres "$pg_bin/pg_ctl" -D "$dir/pg" -m fast -s stop
  [ $status = 0 ] || tail -n 20 "$dir"/*.log >&2
  rm -rf "$dir"
}
trap finish EXIT
within() { local deadline=$((SECONDS + $1)); shift; until "$@" >/dev/null 2>&1; do [ $SECONDS -lt $deadline ] || { echo "FAILED: not in time: $*" >&2; exit 1; }; sleep 0.2; done; }
as_postgres() { if [ "$(id -u)" = 0 ]; then (cd / && runuser -u postgres -- "$@"); else "$@"; fi; }

# A PostgreSQL with one table.
pg_bin=$(find /usr/lib/postgresql -path '*/bin/postgres' | sort -V | tail -n 1 | xargs dirname)
mkdir -m 700 "$dir/pg"; [ "$(id -u)" != 0 ] || chown postgres "$dir/pg"
as_postgres "$pg_bin/initdb" -D "$dir/pg" -U postgres -A trust --no-sync >/dev/null
printf "listen_addresses = ''\nunix_socket_directories = '%s'\nlogging_collector = on\n" "$dir/pg" >>"$dir/pg/postgresql.conf"
as_postgres "$pg_bin/pg_ctl" -D "$dir/pg" -w -s -l "$dir/pg/start.log" start
psql -X -q -h "$dir/pg" -U postgres -c 'create table item as select i from generate_series(1, 1000) i'

# The server.
port=$((20000 + RANDOM % 20000))
url=https://127.0.0.1:$port
printf '[server]\nlisten = "127.0.0.1:%s"\ndata_dir = "%s"\n' "$port" "$dir/server" >"$dir/server.toml"
pganalytics-server run --config "$dir/server.toml" 2>"$dir/server.log" & pids+=($!)
within 60 curl -sf --cacert "$dir/server/ca.crt" "$url/api/v1/health"

# Register.
cat >"$dir/collector.toml" <<CONF
[collector]
name = "acceptance"
state_dir = "$dir/collector"
[backend]
url = "$url"
ca_file = "$dir/server/ca.crt"
[plugins.pg_stats]
enabled = true
interval = "10s"
conninfo = "host=$dir/pg user=postgres dbname=postgres"
[plugins.sysstat]
enabled = true
interval = "10s"
[plugins.disk_usage]
enabled = true
interval = "10s"
[plugins.pg_logs]
enabled = true
interval = "10s"
paths = ["$dir/pg/log/*.log"]
start = "beginning"
CONF
token=$(pganalytics-server token create --config "$dir/server.toml" --json)
id=$(pganalytics register --config "$dir/collector.toml" --token "$(jq -re .token <<<"$token")" --ca-pin "$(jq -re .ca_pin <<<"$token")" --json | jq -re .id)
echo "registered as $id"

# Run for two minutes, with something happening. `cron` is what the first version called `run`.
pganalytics cron --config "$dir/collector.toml" 2>"$dir/collector.log" & pids+=($!)
for ((end = SECONDS + seconds; SECONDS < end; )); do
  psql -X -q -h "$dir/pg" -U postgres -c 'insert into item select 1' -c 'select 1/0' >/dev/null 2>&1 || true
  sleep 5
done

# Read the metrics back.
key=$(pganalytics-server key create --role viewer --config "$dir/server.toml" --json | jq -re .key)
for type in pg_stats sysstat disk logs; do
  curl -sf --cacert "$dir/server/ca.crt" -H "Authorization: Bearer $key" "$url/api/v1/servers/$id/metrics?type=$type&limit=1000" >"$dir/$type.json"
  count=$(jq '.metrics | length' "$dir/$type.json")
  echo "$type: $count documents"
  # Every 10 s: two minutes hold twelve ticks; the first may fall before the start, the last may be on its way.
  [ "$count" -ge $((seconds / 10 - 2)) ] || { echo "FAILED: too few documents of $type" >&2; exit 1; }
done
jq -e '[.metrics[].document.databases[] | select(.name == "postgres") | .storage.rows[]? | select(.name == "item") | .heap_bytes] | length > 0 and all(. > 0)' "$dir/pg_stats.json" >/dev/null
jq -e '.metrics[0].document | .cpu.user >= 0 and .memory.available > 0' "$dir/sysstat.json" >/dev/null
jq -e '.metrics[0].document.filesystems | length > 0' "$dir/disk.json" >/dev/null
jq -e '[.metrics[].document.events[] | select(.message == "division by zero")] | length > 0' "$dir/logs.json" >/dev/null
echo "accepted"
