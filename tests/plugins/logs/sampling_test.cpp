#include "plugins/logs/sampling.h"

#include "tests/plugins/logs/log_folder.h"

#include <algorithm>
#include <string>

namespace pganalytics::logs {
namespace {

constexpr Kind kStatement{7, Severity::kLog};
constexpr Kind kError{8, Severity::kError};

struct Taken {
  std::uint64_t delivered = 0;
  std::uint64_t represented = 0;
  std::uint64_t last = 0;  // what the last delivered one stands for
};

Taken take(Sampling& sampling, const Kind& kind, std::uint64_t entries, std::string_view message = "statement: select 1") {
  Taken taken;
  for (std::uint64_t i = 0; i < entries; ++i) {
    const std::uint64_t stands_for = sampling.stands_for(kind, message);
    if (stands_for > 0) {
      ++taken.delivered;
      taken.represented += stands_for;
      taken.last = stands_for;
    }
  }
  return taken;
}

}  // namespace

TEST_CASE("of more entries than are read by anyone ever fewer are delivered, and those say for how many they stand") {
  Sampling sampling(100);
  Taken taken = take(sampling, kStatement, 200);
  CHECK(taken.delivered == 200);
  CHECK(taken.last == 1);
  taken = take(sampling, kStatement, 200);  // to 4 times as many: each second
  CHECK(taken.delivered == 100);
  CHECK(taken.last == 2);
  taken = take(sampling, kStatement, 400);
  CHECK(taken.delivered == 100);
  CHECK(taken.last == 4);
  taken = take(sampling, kStatement, 100'000);
  CHECK(taken.delivered < 800);
  CHECK(taken.represented > 100'000 - 1024);
  CHECK(taken.represented <= 100'000);
}

TEST_CASE("each kind has entries of its own, errors ten times as many") {
  Sampling sampling(100);
  CHECK(take(sampling, kStatement, 10'000).delivered < 1000);
  CHECK(take(sampling, kError, 2000).delivered == 2000);
  CHECK(take(sampling, kError, 2000).delivered == 1000);
  CHECK(take(sampling, Kind{kError.class_number, Severity::kWarning}, 200).delivered == 200);
}

TEST_CASE("0 leaves nothing out") {
  Sampling sampling(0);
  sampling.delivered(std::size_t{1} << 40);
  const Taken taken = take(sampling, kStatement, 10'000);
  CHECK(taken.delivered == 10'000);
  CHECK(taken.last == 1);
}

TEST_CASE("what took longer than all before it is delivered, for itself") {
  Sampling sampling(10);
  take(sampling, kStatement, 10'000, "duration: 1.000 ms  statement: select 1");
  CHECK(sampling.stands_for(kStatement, "duration: 1.001 ms  statement: select 1") == 1);
  CHECK(sampling.stands_for(kStatement, "duration: 1.001 ms  statement: select 1") == 0);
  CHECK(sampling.stands_for(kStatement, "duration: 900000.5 ms") == 1);
  CHECK(sampling.stands_for(kStatement, "duration: 899999.999 ms") == 0);
  CHECK(sampling.stands_for(kStatement, "duration: x ms") == 0);
  CHECK(sampling.stands_for(kStatement, "duration: 1e300 ms") == 0);  // not so written by the server
}

TEST_CASE("durations that only grow do not switch the thinning off") {
  Sampling sampling(10);
  std::uint64_t delivered = 0;
  for (int i = 0; i < 100'000; ++i) {
    if (sampling.stands_for(kStatement, "duration: " + std::to_string(i) + ".000 ms") > 0) ++delivered;
  }
  CHECK(delivered < 10 * 18 + 10);
}

TEST_CASE("much text is thinned sooner, but the first of a kind always passes") {
  Sampling sampling(100);
  sampling.delivered(Sampling::kDenseBytes * 3);
  CHECK(take(sampling, kStatement, 1000).delivered < 120);
  sampling.delivered(Sampling::kDenseBytes * 1000);
  CHECK(take(sampling, kStatement, 100'000).delivered < 60);
  CHECK(sampling.stands_for(kError, "division by zero") == 1);
}

TEST_CASE("a run over 300,000 entries counts each and delivers a bounded number, the rare ones among them") {
  Options options;
  options.line_prefix = "%m [%p] ";
  options.full_entries_per_class = 100;
  options.max_bytes_per_run = "256MiB";
  options.redact = "all";
  LogFolder logs(options);
  constexpr std::uint64_t kEntries = 300'000;
  std::string text;
  std::uint64_t errors = 0;
  for (std::uint64_t i = 0; i < kEntries; ++i) {
    if (i == 123'456) {
      text += entry("duration: 99999.125 ms");
    } else if (i % 70'000 == 69'999) {
      ++errors;
      text += entry("deadlock detected", "ERROR");
    } else {
      text += i % 3 == 0 ? entry("statement: select " + std::to_string(i)) : entry("duration: 0.125 ms");
    }
  }
  text += "not a report\n";
  logs.append("a.log", text);
  const auto result = logs.run();
  const auto classes = LogFolder::classes_of(result);
  const auto events = LogFolder::events_of(result);

  const auto counted = [&](const char* kind) { return classes.count(kind) == 0 ? 0 : classes.at(kind).first; };
  CHECK(counted("lock.deadlock ERROR") == errors);
  CHECK(counted("other null") == 1);
  CHECK(counted("statement.logged LOG") + counted("statement.duration LOG") == kEntries - errors);
  CHECK(counted("statement.logged LOG") > 99'990);

  std::uint64_t delivered = 0;
  for (const auto& [kind, count] : classes) delivered += count.second;
  CHECK(delivered == events.size());
  CHECK(events.size() > 1000);
  CHECK(events.size() < 2 * 100 * 13);
  CHECK(classes.at("lock.deadlock ERROR").second == errors);
  CHECK(std::any_of(events.begin(), events.end(), [](const SeenEvent& e) { return e.message == "duration: 99999.125 ms"; }));
  CHECK(std::any_of(events.begin(), events.end(), [](const SeenEvent& e) { return e.sampled_one_in == 1024; }));

  CHECK(logs.run().documents.empty());
  logs.append("a.log", entry("statement: select 'after'"));
  CHECK(logs.messages().size() == 1);
}

namespace {

constexpr int kLongEntries = 40'000;

// "0xxx...", "1xxx...": 48 MB as documents.
std::string long_entries() {
  const std::string text(1000, 'x');
  std::string all;
  for (int i = 0; i < kLongEntries; ++i) all += entry(std::to_string(i) + text);
  return all;
}

std::size_t bytes_of(const testing::CollectResult& result) {
  std::size_t bytes = 0;
  for (const std::string& document : result.documents) bytes += document.size();
  return bytes;
}

}  // namespace

TEST_CASE("a run ends before it says more than the host takes, and the next one goes on") {
  Options options;
  options.max_bytes_per_run = "256MiB";
  LogFolder logs(options);
  logs.append("a.log", long_entries());
  int next = 0;
  int runs = 0;
  for (auto result = logs.run(); !result.documents.empty(); result = logs.run(), ++runs) {
    CHECK(bytes_of(result) < (18u << 20));
    for (const SeenEvent& event : LogFolder::events_of(result)) {
      if (event.message.compare(0, event.message.find('x'), std::to_string(next++)) != 0) FAIL("lost or twice: " << next);
    }
  }
  CHECK(next == kLongEntries);
  CHECK(runs == 3);
}

TEST_CASE("long entries are thinned sooner, and all are read in one run") {
  Options options;
  options.max_bytes_per_run = "256MiB";
  options.full_entries_per_class = 1000;
  LogFolder logs(options);
  logs.append("a.log", long_entries());
  const auto result = logs.run();
  CHECK(bytes_of(result) < (5u << 20));
  CHECK(LogFolder::classes_of(result).at("other LOG").first == kLongEntries);
  CHECK(logs.run().documents.empty());
}

TEST_CASE("the counts of a run's documents add up to what was read") {
  Options options;
  options.events_per_document = 7;
  options.min_severity = "WARNING";
  LogFolder logs(options);
  for (int i = 0; i < 50; ++i) logs.append("a.log", entry("statement: select 1") + entry("division by zero", "ERROR"));
  const auto result = logs.run();
  CHECK(result.documents.size() == 8);
  std::uint64_t errors = 0;
  std::uint64_t log = 0;
  for (const std::string& text : result.documents) {
    rapidjson::Document document;
    document.Parse(text.c_str());
    errors += document["counts"]["error"].GetUint64();
    log += document["counts"]["log"].GetUint64();
  }
  CHECK(errors == 50);
  CHECK(log == 50);
  const auto classes = LogFolder::classes_of(result);
  CHECK(classes.at("statement.logged LOG") == std::pair<std::uint64_t, std::uint64_t>{50, 0});
  CHECK(classes.at("query.division_by_zero ERROR") == std::pair<std::uint64_t, std::uint64_t>{50, 50});
}

TEST_CASE("more kinds of entries than a small document has room for come in several") {
  LogFolder logs;
  logs.host.max_document_bytes = 3000;
  const char* const kSeverities[] = {"LOG", "WARNING", "ERROR", "FATAL", "PANIC", "NOTICE", "INFO", "DEBUG"};
  const char* const kMessages[] = {"statement: x",      "shutting down", "division by zero",
                                   "deadlock detected", "out of memory", "?"};
  Options options;
  options.classes = R"(["wal.*"])";  // all are counted, none is delivered
  logs.configure(options);
  std::uint64_t entries = 0;
  for (const char* severity : kSeverities) {
    for (const char* message : kMessages) {
      logs.append("a.log", entry(message, severity));
      ++entries;
    }
  }
  const auto result = logs.run();
  CHECK(result.documents.size() > 1);
  std::uint64_t counted = 0;
  for (const std::string& document : result.documents) CHECK(document.size() <= 3000);
  for (const auto& [kind, count] : LogFolder::classes_of(result)) counted += count.first;
  CHECK(counted == entries);
  CHECK(LogFolder::events_of(result).empty());
}

}  // namespace pganalytics::logs
