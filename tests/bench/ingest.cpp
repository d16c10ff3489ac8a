// How many rows a second the server takes: documents read by their schema and stored as pushes are, beside a bare loop of libpq
// that COPYs the same documents and points into the same tables.
//
//   bench_ingest [PUSHES] [ROWS] [unprepared]     pushes of each thread, rows of a push, as with [database] prepared = false;
//                                                 a private PostgreSQL from $PGANALYTICS_TEST_PG_BIN
//
// Both commit once a push. One line for each number of threads, and the ratio. See README.md.
#include <libpq-fe.h>

#include <atomic>
#include <chrono>
#include <thread>

#include "core/clock/clock.h"
#include "core/crypto/digest.h"
#include "core/log/log.h"
#include "core/server/ingest/document_rows.h"
#include "core/server/ingest/push_rows.h"
#include "core/server/store/copy_text.h"
#include "tests/bench/figures.h"
#include "tests/support/must.h"
#include "tests/support/postgres_server.h"

using namespace pganalytics;
using namespace pganalytics::bench;
using namespace pganalytics::server;
using pganalytics::testing::must;

namespace {

constexpr char kType[] = "bench_table";
constexpr char kEpoch[] = "0123456789abcdef0123456789abcdef";

// A row of a table as pg_stats has it: three labels, eight fields.
std::string schema_text() {
  std::string fields;
  for (int i = 0; i < 8; ++i) {
    fields += R"(,"counter_)" + std::to_string(i) + R"(":{"type":"integer","x-kind":"counter","x-unit":"1"})";
  }
  return R"({"type":"object","properties":{"type":{"type":"string","x-kind":"info"},"timestamp":{"type":"string","format":"date-time"},
    "tables":{"type":"array","x-family":"bench_table","items":{"type":"object","properties":{"database":{"type":"string","x-kind":"label"},
    "schema":{"type":"string","x-kind":"label"},"table":{"type":"string","x-kind":"label"})" +
         fields + "}}}}}";
}

std::string document_of(int rows, std::int64_t unix_ns) {
  std::string text =
      R"({"type":")" + std::string(kType) + R"(","timestamp":")" + clock::format_rfc3339(unix_ns) + R"(","tables":[)";
  for (int row = 0; row < rows; ++row) {
    text += std::string(row == 0 ? "" : ",") + R"({"database":"shop","schema":"public","table":"table_number_)" +
            std::to_string(row) + '"';
    for (int i = 0; i < 8; ++i) text += ",\"counter_" + std::to_string(i) + "\":" + std::to_string(1'000'000 + row * 17 + i);
    text += '}';
  }
  return text + "]}";
}

// Rows a second when each of `threads` does its part at the same time.
template <class Work>
double rate(int threads, int pushes, int rows, Work&& work) {
  std::vector<std::thread> running;
  const auto begin = std::chrono::steady_clock::now();
  for (int thread = 0; thread < threads; ++thread) running.emplace_back([&, thread] { work(thread); });
  for (std::thread& thread : running) thread.join();
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  return threads * static_cast<double>(pushes) * rows / seconds;
}

void execute(PGconn* connection, const char* sql, ExecStatusType expected) {
  PGresult* const result = PQexec(connection, sql);
  if (PQresultStatus(result) != expected) give_up(PQerrorMessage(connection));
  PQclear(result);
}

void copy(PGconn* connection, const char* sql, std::string_view data) {
  execute(connection, sql, PGRES_COPY_IN);
  if (PQputCopyData(connection, data.data(), static_cast<int>(data.size())) != 1 || PQputCopyEnd(connection, nullptr) != 1)
    give_up(PQerrorMessage(connection));
  while (PGresult* const result = PQgetResult(connection)) {
    if (PQresultStatus(result) != PGRES_COMMAND_OK) give_up(PQerrorMessage(connection));
    PQclear(result);
  }
}

void bare_loop(const std::string& conninfo, int pushes, const std::string& documents, std::string_view points) {
  PGconn* const connection = PQconnectdb(conninfo.c_str());
  if (PQstatus(connection) != CONNECTION_OK) give_up(PQerrorMessage(connection));
  for (int push = 0; push < pushes; ++push) {
    execute(connection, "begin", PGRES_COMMAND_OK);
    copy(connection, "copy pganalytics.documents (collector_id, type, ts, epoch, seq, part, index, document) from stdin",
         documents);
    copy(connection, "copy pganalytics.points (time, series_id, fields) from stdin (format binary)", points);
    execute(connection, "commit", PGRES_COMMAND_OK);
  }
  PQfinish(connection);
}

class Bench {
 public:
  Bench(int pushes, int rows, bool prepared)
      : pushes_(pushes), rows_(rows), store_(must(store::Store::open({conninfo_, 8, 0, prepared}))) {
    const std::string text = schema_text();
    must(schemas_.add(kType, crypto::sha256_hex(text), text));
    for (int i = 0; i < 4; ++i) {
      const std::string token = crypto::sha256_hex(crypto::random_bytes(20));
      must(store_->add_registration_token(token, 1, 3'600'000, ""));
      collectors_.push_back(must(store_->enrol_collector(token, "db", "db", crypto::uuid_v4(), crypto::sha256_hex(token))));
      push(collectors_.back());  // its series are made: what is measured is every push but the first
    }
  }

  void compare(int threads) {
    std::vector<double> ours, bare;
    for (int round = 0; round < 3; ++round) {
      bare.push_back(rate(threads, pushes_, rows_,
                          [this](int thread) { bare_loop(conninfo_, pushes_, copy_text(thread), points_text(thread)); }));
      ours.push_back(rate(threads, pushes_, rows_, [this](int thread) {
        for (int i = 0; i < pushes_; ++i) push(collectors_[static_cast<std::size_t>(thread)]);
      }));
    }
    const double our = share(ours, 0.5), reference = share(bare, 0.5);
    std::printf("%d threads, %d rows a push: bare COPY %9.0f rows/s, ingest %9.0f rows/s, ratio %.2f\n", threads, rows_,
                reference, our, our / reference);
  }

  void show_walk() {
    const auto known = must(schemas_.find(kType, ""));
    const double walked = rate(1, pushes_, rows_, [&](int) {
      for (int i = 0; i < pushes_; ++i) {
        ingest::DocumentRows reader(*store_, collectors_[0]);
        must(reader.read(*known, document_, now_));
      }
    });
    std::printf("reading alone: %9.0f rows/s\n", walked);
  }

 private:
  void push(const std::string& collector) {
    const std::string body = R"({"schemas":{},"metrics":[)" + document_ + "]}";
    ingest::PushRequest request;
    request.envelope = must(ingest::scan_envelope(body));
    request.body = std::make_unique<const std::string>(body);
    request.key = ingest::PushKey{kEpoch, ++seq_, ""};
    const auto rows = must(ingest::read_rows(*store_, schemas_, collector, request.envelope));
    store::Push given = ingest::to_store(collector, request);
    given.rows = rows.rows.get();
    if (must(store_->push(given)).accepted != 1) give_up("a document was not stored");
  }

  std::string copy_text(int thread) {
    store::CopyText line;
    line.field(collectors_[static_cast<std::size_t>(thread)]).field(kType).field(store::timestamp_text(now_));
    line.field(kEpoch).field("1").field("").field("0").field(document_).end_row();
    return line.text();
  }

  std::string points_text(int thread) {
    const auto known = must(schemas_.find(kType, ""));
    ingest::DocumentRows reader(*store_, collectors_[static_cast<std::size_t>(thread)]);
    must(reader.read(*known, document_, now_));
    const auto batch = reader.take();
    std::vector<std::int64_t> ids;
    for (std::size_t i = 0; i < batch->series().size(); ++i) ids.push_back(static_cast<std::int64_t>(i) + 1 + thread * rows_);
    std::string copy(store::kPointsHeader);
    return copy.append(batch->finish_points(ids)).append(store::kPointsTrailer);
  }

  const int pushes_, rows_;
  const std::int64_t now_ = clock::now_unix_ns();
  const std::string document_ = document_of(rows_, now_);
  const std::string conninfo_ = testing::PostgresServer::shared().conninfo(testing::PostgresServer::shared().new_database());
  const std::unique_ptr<store::Store> store_;
  ingest::KnownSchemas schemas_{*store_};
  std::vector<std::string> collectors_;
  std::atomic<std::uint64_t> seq_{0};
};

}  // namespace

int main(int argc, char** argv) {
  log::set_level(log::Level::kWarn);
  Bench bench(argc > 1 ? std::atoi(argv[1]) : 100, argc > 2 ? std::atoi(argv[2]) : 1'000,
              argc <= 3 || std::string_view(argv[3]) != "unprepared");
  bench.show_walk();
  for (const int threads : {1, 2, 4}) bench.compare(threads);
}
