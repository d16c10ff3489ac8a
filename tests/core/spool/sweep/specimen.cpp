#include "tests/core/spool/sweep/specimen.h"

#include <sqlite3.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <random>
#include <sstream>

namespace pganalytics::spool_sweep {
namespace {

using spool::Lane;
using spool::Spool;

template <class T>
T must(Expected<T> result) {
  if (!result) {
    std::fprintf(stderr, "specimen: %s\n", result.error().message.c_str());
    std::abort();
  }
  return std::move(result).value();
}
void must(const Outcome& result) {
  if (result) return;
  std::fprintf(stderr, "specimen: %s\n", result.error().message.c_str());
  std::abort();
}

// Bytes that do not compress, as JSON text.
std::string noise(std::mt19937_64& random, std::size_t size) {
  constexpr char kLetters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_";
  std::string text;
  while (text.size() < size) text += kLetters[random() % 64];
  return text;
}

spool::SealedRun run(std::mt19937_64& random, int number) {
  spool::SealedRun run;
  run.plugin = number % 3 == 0 ? "logs" : "pg_stats";
  run.scheduled_unix_ns = 1'770'000'000'000'000'000 + number * 1'000'000'000LL;
  const std::size_t documents = 1 + random() % 2;
  // Some bodies need pages of their own, most share one.
  const std::size_t size = number % 11 == 5 ? 4'300 : 60 + random() % 120;
  for (std::size_t i = 0; i < documents; ++i) {
    run.documents.push_back(R"({"type":")" + run.plugin + R"(","n":)" + std::to_string(number * 10 + static_cast<int>(i)) +
                            R"(,"payload":")" + noise(random, size) + "\"}");
  }
  run.state["cursor"] = std::to_string(number);
  if (number % 7 == 0) run.state["fingerprint"] = noise(random, 60);
  return run;
}

spool::BatchKey next_key(Spool& spool, Lane lane) { return must(spool.next(lane)).value().key; }

// Twelve delivered in both lanes, one halved, one lost, one reported loss, one in flight.
void live(Spool& spool, std::mt19937_64& random) {
  int number = 0;
  for (; number < 16; ++number) must(spool.seal(run(random, number)));
  for (int i = 0; i < 6; ++i) must(spool.acknowledge(next_key(spool, Lane::kBacklog)));
  for (int i = 0; i < 6; ++i) must(spool.acknowledge(next_key(spool, Lane::kLive)));
  must(spool.set_aside(next_key(spool, Lane::kBacklog), "poison"));
  const auto losses = must(spool.losses());
  for (; number < 48; ++number) {
    auto next = run(random, number);
    if (number == 20) {
      for (const auto& loss : losses) next.reported_losses.push_back(loss);
    }
    must(spool.seal(std::move(next)));
  }
  must(spool.set_value("config.last_good", noise(random, 500)));
  must(spool.set_value("report.last", "7"));
  const auto first = next_key(spool, Lane::kLive);
  if (!must(spool.split(first))) must(spool.set_aside(first, "too_large"));
  must(spool.set_aside(next_key(spool, Lane::kBacklog), "poison"));
  must(spool.next(Lane::kBacklog));
}

// Of the file itself, because the spool serves one at a time.
std::map<spool::BatchKey, spool::Batch> waiting_in(const std::string& path) {
  sqlite3* database = nullptr;
  sqlite3_stmt* rows = nullptr;
  if (sqlite3_open_v2(path.c_str(), &database, SQLITE_OPEN_READONLY, nullptr) != SQLITE_OK) std::abort();
  if (sqlite3_prepare_v2(database,
                         "SELECT epoch, seq, part, plugin, documents, first_unix_ns, last_unix_ns, encoding, body FROM batch", -1,
                         &rows, nullptr) != SQLITE_OK) {
    std::abort();
  }
  const auto text = [&](int column) {
    const void* const bytes = sqlite3_column_blob(rows, column);
    const auto size = static_cast<std::size_t>(sqlite3_column_bytes(rows, column));
    return bytes == nullptr ? std::string() : std::string(static_cast<const char*>(bytes), size);
  };
  std::map<spool::BatchKey, spool::Batch> waiting;
  while (sqlite3_step(rows) == SQLITE_ROW) {
    spool::Batch batch;
    batch.key = {text(0), static_cast<std::uint64_t>(sqlite3_column_int64(rows, 1)), text(2)};
    batch.plugin = text(3);
    batch.documents = static_cast<std::uint32_t>(sqlite3_column_int64(rows, 4));
    batch.first_unix_ns = sqlite3_column_int64(rows, 5);
    batch.last_unix_ns = sqlite3_column_int64(rows, 6);
    batch.encoding = compression::parse_content_encoding(text(7)).value();
    batch.body = text(8);
    waiting.emplace(batch.key, batch);
  }
  sqlite3_finalize(rows);
  sqlite3_close(database);
  return waiting;
}

Truth truth_of(Spool& spool, const std::string& dir) {
  Truth truth;
  truth.waiting = waiting_in(dir + "/spool.db");
  const auto status = must(spool.status());
  truth.epoch = status.epoch;
  truth.last_seq = status.last_seq;
  truth.produced = status.produced_documents;
  truth.acknowledged = status.acknowledged_documents;
  truth.lost = status.lost_documents;
  truth.waiting_documents = status.waiting_documents;
  for (const auto& loss : must(spool.losses())) truth.ledger_documents += loss.documents;
  for (const auto& [key, batch] : truth.waiting) truth.epochs.insert(key.epoch);
  for (const char* const plugin : {"logs", "pg_stats"}) truth.states[plugin] = must(spool.state_of(plugin));
  for (const char* const key : {"config.last_good", "report.last"}) truth.values[key] = must(spool.value(key)).value();
  return truth;
}

Files copy_of(const std::string& dir) {
  Files files;
  for (const char* const name : {"spool.db", "spool.db-wal", "spool.tally"}) {
    if (::access((dir + "/" + name).c_str(), F_OK) == 0) files[name] = read_file(dir + "/" + name);
  }
  return files;
}

}  // namespace

spool::SpoolOptions options_with(const clock::Clock& clock) {
  spool::SpoolOptions options;
  options.keep_free_bytes = 0;
  options.max_age_ms = 365LL * 24 * 3600 * 1000;
  options.collector_id = "11111111-2222-4333-8444-555555555555";
  options.hostname = "db1";
  options.version = "0.1.0";
  options.clock = &clock;
  options.pace.seal_wait_ms = 60'000;  // whatever else the machine does: a number that is not there yet is no damage
  return options;
}

Specimen make_specimen(const std::string& dir, bool running, std::uint64_t seed) {
  static const StillClock clock;
  std::mt19937_64 random(seed);
  Specimen specimen;
  specimen.name = running ? "running" : "closed";
  auto spool = must(Spool::open(dir, options_with(clock)));
  live(*spool, random);
  if (running) {  // all that is in the database, what comes now is in the log
    spool.reset();
    spool = must(Spool::open(dir, options_with(clock)));
    must(spool->seal(run(random, 55)));
    must(spool->acknowledge(next_key(*spool, Lane::kLive)));
    must(spool->acknowledge(next_key(*spool, Lane::kBacklog)));
    must(spool->seal(run(random, 57)));
    must(spool->seal(run(random, 58)));
  }
  specimen.truth = truth_of(*spool, dir);
  if (!running) spool.reset();
  specimen.files = copy_of(dir);
  return specimen;
}

std::string read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream content;
  content << file.rdbuf();
  return content.str();
}

void write_file(const std::string& path, const std::string& content) {
  std::FILE* const file = std::fopen(path.c_str(), "wb");
  if (file == nullptr || std::fwrite(content.data(), 1, content.size(), file) != content.size() || std::fclose(file) != 0) {
    std::perror(path.c_str());
    std::abort();
  }
}

}  // namespace pganalytics::spool_sweep
