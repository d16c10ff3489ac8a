#include "core/server/program/server_metrics.h"

#include "core/clock/clock.h"
#include "core/files/files.h"
#include "core/telemetry/metric_text.h"

#include <dirent.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cstdio>
#include <memory>
#include <utility>

namespace pganalytics::server::program {
namespace {

using telemetry::MetricText;
using Kind = MetricText::Kind;

double number(std::uint64_t value) { return static_cast<double>(value); }
double number(std::int64_t value) { return static_cast<double>(value); }
double number(unsigned value) { return value; }

void write_connections(MetricText& text, const http::HttpsServer& server, const http::Refusals& refusals) {
  text.gauge("pganalytics_server_connections", "Connections that are open.", number(server.connections()));
  text.counter("pganalytics_server_connections_accepted_total", "Connections that were taken from the listener.",
               number(server.accepted()));
  text.counter("pganalytics_server_tls_handshakes_total", "TLS handshakes that succeeded.", number(server.handshakes()));
  text.gauge("pganalytics_server_requests_at_work", "Requests that a worker has or that wait for one.",
             number(server.requests_at_work()));
  text.begin("pganalytics_server_refusals_total", Kind::kCounter, "What was refused, by reason.");
  const auto numbers = refusals.all();
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    text.sample({{"reason", http::name_of(static_cast<http::Refusal>(i))}}, number(numbers[i]));
  }
}

void write_ingest(MetricText& text, const ingest::PushCounters& pushes) {
  text.begin("pganalytics_server_pushes_total", Kind::kCounter, "Pushes, by what became of them.");
  text.sample({{"result", "stored"}}, number(pushes.stored.load()));
  text.sample({{"result", "duplicate"}}, number(pushes.duplicate.load()));
  text.sample({{"result", "refused"}}, number(pushes.refused.load()));
  text.sample({{"result", "failed"}}, number(pushes.failed.load()));
  text.counter("pganalytics_server_ingested_documents_total", "Documents that were stored.", number(pushes.documents.load()));
  text.counter("pganalytics_server_ingested_points_total", "Points that were stored with them.", number(pushes.points.load()));
  text.counter("pganalytics_server_ingested_events_total", "Events that were stored with them.", number(pushes.events.load()));
  text.begin("pganalytics_server_rejected_documents_total", Kind::kCounter,
             "Documents of stored pushes that were rejected, by reason.");
  for (const auto& [reason, documents] : pushes.rejected()) text.sample({{"reason", reason}}, number(documents));
}

void write_database(MetricText& text, const store::StoreNumbers& numbers, const PrivateCluster* cluster) {
  text.gauge("pganalytics_server_database_connections_max", "Connections that the pool may have.", number(numbers.connections));
  text.gauge("pganalytics_server_database_connections_in_use", "Connections of the pool that are at work.",
             number(numbers.connections_in_use));
  text.gauge("pganalytics_server_database_waiting", "Threads that wait for a connection of the pool.",
             number(numbers.waiting_for_connection));
  text.gauge("pganalytics_server_waiting_pushes", "Pushes that wait until a transaction can be had for them.",
             number(std::uint64_t{numbers.waiting_pushes}));
  text.gauge("pganalytics_server_series_cache_entries", "Series that need no question to the database.",
             number(std::uint64_t{numbers.cached_series}));
  text.counter("pganalytics_server_slow_statements_total", "Statements that took longer than [database] slow_query.",
               number(numbers.slow_statements));
  text.begin("pganalytics_server_database_statement_duration_seconds", Kind::kHistogram,
             "Time of the store's statements, commits too.");
  text.sample({}, numbers.statements);
  if (cluster != nullptr) {
    text.counter("pganalytics_server_private_postgresql_restarts_total",
                 "How often the private PostgreSQL ended and was started again.", number(cluster->restarts()));
  }
}

void write_upkeep(MetricText& text, const UpkeepCounters& done, const api::Condition& condition) {
  text.gauge("pganalytics_server_unread_documents", "Types of documents in pushes that wait for their schema.",
             number(condition.unread.load()));
  text.gauge("pganalytics_server_oldest_unread_seconds", "Age of the oldest of them.", number(condition.oldest_unread_s.load()));
  text.gauge("pganalytics_server_rollup_lag_seconds", "Since when the oldest bucket waits to be rolled up.",
             number(condition.rollup_lag_s.load()));
  text.counter("pganalytics_server_late_read_total", "Unread documents' types of pushes that were read when their schema came.",
               number(done.unread_read.load()));
  text.begin("pganalytics_server_expired_rows_total", Kind::kCounter,
             "Rows forgotten one by one because they were too old, by kind.");
  text.sample({{"kind", "document"}}, number(done.documents.load()));
  text.sample({{"kind", "point"}}, number(done.points.load()));
  text.sample({{"kind", "event"}}, number(done.events.load()));
  text.counter("pganalytics_server_dropped_partitions_total", "Partitions dropped because all in them was too old.",
               number(done.partitions.load()));
  if (const std::int64_t free = condition.disk_free_bytes; free >= 0) {
    text.gauge("pganalytics_server_disk_free_bytes", "Free on the file system of data_dir.", number(free));
  }
}

// One sample for each destination.
template <class Value>
void write_each(MetricText& text, const forward::Forwarders& forwarders, const char* name, Kind kind, const char* help,
                const Value& value) {
  text.begin(name, kind, help);
  for (const auto& forwarder : forwarders) {
    text.sample({{"destination", forwarder->name()}}, number(value(forwarder->counters())));
  }
}

void write_forwarding(MetricText& text, const forward::Forwarders& forwarders) {
  using forward::Counters;
  write_each(text, forwarders, "pganalytics_server_forward_active", Kind::kGauge,
             "1: this server forwards to the destination; 0: another does, or the database is away.",
             [](const Counters& c) { return c.active ? 1U : 0U; });
  write_each(text, forwarders, "pganalytics_server_forward_batches_total", Kind::kCounter,
             "Batches that the destination took, or a part of them.", [](const Counters& c) { return c.batches.load(); });
  write_each(text, forwarders, "pganalytics_server_forward_documents_total", Kind::kCounter,
             "Documents that the destination took, or had no use for.", [](const Counters& c) { return c.documents.load(); });
  write_each(text, forwarders, "pganalytics_server_forward_failures_total", Kind::kCounter,
             "Attempts that were not answered with success.", [](const Counters& c) { return c.failures.load(); });
  write_each(text, forwarders, "pganalytics_server_forward_lag_seconds", Kind::kGauge,
             "Age of the oldest push that is still to be sent.", [](const Counters& c) {
               const std::int64_t oldest_ns = c.oldest_unix_ns;
               return oldest_ns == 0 ? std::int64_t{0} : (clock::now_unix_ns() - oldest_ns) / 1'000'000'000;
             });
  text.begin("pganalytics_server_forward_missed_documents_total", Kind::kCounter,
             "Documents that the destination will not get, by reason.");
  for (const auto& forwarder : forwarders) {
    const Counters& counters = forwarder->counters();
    text.sample({{"destination", forwarder->name()}, {"reason", "lost"}}, number(counters.lost.load()));
    text.sample({{"destination", forwarder->name()}, {"reason", "poison"}}, number(counters.poison.load()));
    text.sample({{"destination", forwarder->name()}, {"reason", "unreadable"}}, number(counters.unreadable.load()));
  }
}

double open_descriptors() {
  const std::unique_ptr<DIR, int (*)(DIR*)> folder(::opendir("/proc/self/fd"), ::closedir);
  double count = 0;
  while (folder != nullptr && ::readdir(folder.get()) != nullptr) ++count;
  return count < 3 ? 0 : count - 3;  // ".", ".." and the folder's own
}

// proc(5): the second number of statm is the resident set, in pages.
double resident_bytes() {
  const auto statm = files::read("/proc/self/statm");
  long size = 0, resident = 0;
  if (!statm || std::sscanf(statm->c_str(), "%ld %ld", &size, &resident) != 2) return 0;
  return static_cast<double>(resident) * static_cast<double>(::sysconf(_SC_PAGESIZE));
}

double seconds(const timeval& time) { return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6; }

// Named as Prometheus' own client libraries name them.
void write_process(MetricText& text) {
  rusage used{};
  getrusage(RUSAGE_SELF, &used);
  text.counter("process_cpu_seconds_total", "CPU time of the server itself, without PostgreSQL's.",
               seconds(used.ru_utime) + seconds(used.ru_stime));
  text.gauge("process_resident_memory_bytes", "Resident memory.", resident_bytes());
  text.gauge("process_open_fds", "Open file descriptors.", open_descriptors());
  text.begin("pganalytics_server_build_info", Kind::kGauge, "1, with the version as a label.");
  text.sample({{"version", PGANALYTICS_VERSION}}, 1);
}

}  // namespace

std::string server_metrics(const MetricSources& sources) {
  MetricText text;
  sources.traffic.write(text);
  write_connections(text, sources.server, sources.refusals);
  write_ingest(text, sources.pushes);
  write_database(text, sources.store.numbers(), sources.cluster);
  write_upkeep(text, sources.upkeep.counters(), sources.condition);
  write_forwarding(text, sources.forwarders);
  write_process(text);
  return std::move(text).text();
}

}  // namespace pganalytics::server::program
