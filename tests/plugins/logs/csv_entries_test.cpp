#include "plugins/logs/entries/csv_entries.h"

#include "tests/plugins/logs/feed.h"
#include "tests/support/catch.h"

#include <string>
#include <vector>

namespace pganalytics::logs {
namespace {

const std::string kHead =
    "2026-02-03 04:05:06.789 UTC,\"bob\",\"shop\",42,\"10.0.0.1:5432\",65bdc0f2.2a,3,\"SELECT\",2026-02-03 04:05:00 UTC,";
const std::string kTail = ",\"app\",\"client backend\",,-7\n";

// A record of PostgreSQL 14 to 18 whose texts from message to location are `texts`.
std::string record(const std::string& texts) { return kHead + "3/17,0,ERROR,22012," + texts + kTail; }
std::string simple(const std::string& message) { return record("\"" + message + "\",,,,,,,,"); }

struct Reading {
  explicit Reading(const std::string& text, Rest rest = Rest::kResting, bool resynchronise = false,
                   std::size_t piece_bytes = 1 << 20)
      : source(0, resynchronise) {
    end = feed(source, text, events, 0, piece_bytes);
    next = source.finish(rest, events);
  }
  CsvEntries source;
  std::vector<Event> events;
  std::uint64_t end = 0;
  std::uint64_t next = 0;
};

}  // namespace

TEST_CASE("csvlog: each column finds its place") {
  const Reading reading(
      record(R"csv("division by zero","a ""detail""","a hint","select inner",3,"function f()","select 1/0",8,"f, f.c:1")csv"));
  REQUIRE(reading.events.size() == 1);
  const Event& event = reading.events[0];
  CHECK(event.unix_ms == 1770091506789);
  CHECK(event.user == "bob");
  CHECK(event.database == "shop");
  CHECK(event.pid == 42);
  CHECK(event.remote_host == "10.0.0.1");
  CHECK(event.remote_port == 5432);
  CHECK(event.session_id == "65bdc0f2.2a");
  CHECK(event.session_line == 3);
  CHECK(event.command == "SELECT");
  CHECK(event.session_start_unix_ms == 1770091500000);
  CHECK(event.virtual_transaction == "3/17");
  CHECK_FALSE(event.transaction);
  CHECK(event.severity == Severity::kError);
  CHECK(event.sqlstate == "22012");
  CHECK(event.message == "division by zero");
  CHECK(event.detail == "a \"detail\"");
  CHECK(event.hint == "a hint");
  CHECK(event.internal_query == "select inner");
  CHECK(event.internal_position == 3);
  CHECK(event.context == "function f()");
  CHECK(event.statement == "select 1/0");
  CHECK(event.cursor_position == 8);
  CHECK(event.location == "f, f.c:1");
  CHECK(event.application == "app");
  CHECK(event.backend_type == "client backend");
  CHECK_FALSE(event.leader_pid);
  CHECK(event.query_id == -7);
  CHECK(reading.next == reading.end);
}

TEST_CASE("csvlog: the number of columns is the version's") {
  const std::string common = kHead + "3/17,0,LOG,00000,\"message\",,,,,,,,,\"app\"";
  for (const char* rest :
       {"", ",\"client backend\"", ",\"client backend\",9,-7", ",\"client backend\",9,-7,\"of a version to come\",5"}) {
    CAPTURE(rest);
    const Reading reading(common + rest + "\n");
    REQUIRE(reading.events.size() == 1);
    CHECK(reading.events[0].severity == Severity::kLog);
    CHECK(reading.events[0].message == "message");
    CHECK(reading.events[0].application == "app");
    CHECK(reading.events[0].leader_pid ==
          (std::string(rest).find('9') == std::string::npos ? std::nullopt : std::optional<std::int64_t>(9)));
    CHECK(reading.source.tally().not_fitting == 0);
  }
}

TEST_CASE("csvlog: what is not a whole record is an event without a severity, and counted") {
  const std::string odd =
      GENERATE(as<std::string>{}, "cp: cannot stat 'x'\n", "2026-02-03 04:05:06.789 UTC [42] LOG:  stderr\n",
               kHead + "3/17,0,LOG,00000,\"too few\",,,,\n", kHead + "3/17,0,LOG,00000,\"25\",,,,,,,,,\"app\",\"b\",9\n",
               kHead + "3/17,0,LOG,nostate,\"x\",,,,,,,,,\"app\",\"b\",,0\n", kHead + "3/17,0,LOG,00000,\"x\"y,,,\n",
               "2026-02-03 04:05:06.789 UTC," + std::string(100, ',') + "\n");
  CAPTURE(odd);
  const Reading reading(simple("before") + odd + simple("after"));
  REQUIRE(reading.events.size() == 3);
  CHECK(reading.events[0].message == "before");
  CHECK_FALSE(reading.events[1].severity);
  CHECK_FALSE(reading.events[1].message.empty());
  CHECK(reading.events[1].user.empty());
  CHECK(reading.events[2].message == "after");
  CHECK(reading.source.tally().not_fitting == 1);
}

TEST_CASE("csvlog: quoted fields go over lines, whatever is in them") {
  const std::string body = "select '\n\n2026-02-03 04:05:06.789 UTC,1,2,3\n\tx', \"\"a\"\" from t\n";
  const Reading reading(record("\"m\",,,,,,\"" + body + "\",,") + simple("next"));
  REQUIRE(reading.events.size() == 2);
  CHECK(reading.events[0].statement == "select '\n\n2026-02-03 04:05:06.789 UTC,1,2,3\n\tx', \"a\" from t\n");
  CHECK(reading.events[1].message == "next");
}

TEST_CASE("csvlog: line ends are \\n, also in fields and in files with CRLF") {
  const Reading reading(record("\"one\r\ntwo\",,,,,,,,").insert(0, simple("first").insert(simple("first").size() - 1, "\r")));
  REQUIRE(reading.events.size() == 2);
  CHECK(reading.events[0].query_id == -7);
  CHECK(reading.events[1].message == "one\ntwo");
}

TEST_CASE("csvlog: a record is complete at its end, and half a one waits") {
  const std::string whole = simple("one") + record("\"two\nlines\",,,,,,,,");
  for (std::size_t cut = simple("one").size(); cut < whole.size(); ++cut) {
    CAPTURE(cut);
    if (whole[cut - 1] != '\n') continue;  // the follower hands out whole lines
    const Reading reading(whole.substr(0, cut), Rest::kResting);
    REQUIRE(reading.events.size() == 1);
    CHECK(reading.next == simple("one").size());
  }
}

TEST_CASE("csvlog: where a file ends within a record, what there is of it is delivered and counted") {
  const std::string whole = record("\"two\nlines\",\"a detail\",,,,,\"select 'secret\n'\",,");
  for (std::size_t cut = 1; cut < whole.size() - 1; ++cut) {
    CAPTURE(whole.substr(0, cut));
    const Reading reading(whole.substr(0, cut), Rest::kOver);
    REQUIRE(reading.events.size() == 1);
    const Event& event = reading.events[0];
    CHECK(reading.next == cut);
    CHECK(reading.source.tally().torn + reading.source.tally().not_fitting == 1);
    if (event.severity) {
      CHECK(event.sqlstate == "22012");
      CHECK(std::string("two\nlines").find(event.message) == 0);
      CHECK(std::string("select 'secret\n'").find(event.statement) == 0);
      CHECK_FALSE(event.query_id);
    } else {
      CHECK(event.user.empty());
    }
  }
}

TEST_CASE("csvlog: after a record that broke off the next one is found") {
  const std::string half = kHead + "3/17,0,ERROR,22012,\"broken\",,,,,,\"select 1\n";
  for (const std::string& next : std::vector<std::string>{simple("next"),
                                                          "2026-02-03 04:05:06.789 UTC,,,42,,65bdc0f2.2a,3,,2026-02-03 04:05:00 "
                                                          "UTC,,0,LOG,00000,\"next\",,,,,,,,,\"\",\"checkpointer\",,0\n"}) {
    const Reading reading(half + next + simple("last"));
    REQUIRE(reading.events.size() == 3);
    CHECK(reading.events[0].message == "broken");
    CHECK(reading.events[0].statement == "select 1\n");
    CHECK(reading.events[1].message == "next");
    CHECK(reading.events[2].message == "last");
    CHECK(reading.source.tally().torn == 1);
    CHECK(reading.source.tally().not_fitting == 0);
  }
}

TEST_CASE("csvlog: in the middle of a cut record its rest is passed over, also where it looks like a record") {
  const std::string rest =
      "rest\n2026-02-03 04:05:06.789 UTC,,,42,,65bdc0f2.2a,3,,2026-02-03 04:05:00 "
      "UTC,,0,LOG,00000,\"\"no\"\"\n,x\",,\"app\",\"b\",,0\n";
  const Reading reading(rest + simple("next"), Rest::kResting, true);
  CHECK(reading.events.back().message == "next");
  CHECK(reading.events.size() == 1);
  CHECK(reading.source.tally().passed_over_bytes == rest.size());
  const Reading nothing(rest, Rest::kResting, true);
  CHECK(nothing.source.passing_over());
}

TEST_CASE("csvlog: texts are bounded and what is cut is counted, in however many pieces they come") {
  const std::string text = record("\"m\",,,,,,\"" + std::string(1'000'000, 'x') + "\n" + std::string(500'000, 'y') + "\",,");
  for (const std::size_t piece_bytes : {std::size_t{1} << 20, std::size_t{1} << 16, std::size_t{977}}) {
    const Reading reading(text + simple("next"), Rest::kResting, false, piece_bytes);
    REQUIRE(reading.events.size() == 2);
    CHECK(reading.events[0].statement.size() == kMaxTextBytes);
    CHECK(reading.events[0].truncated_bytes == 1'500'001 - kMaxTextBytes);
    CHECK(reading.events[0].query_id == -7);
    CHECK(reading.events[1].message == "next");
  }
}

TEST_CASE("csvlog: a severity in another language is counted, and the SQLSTATE is there all the same") {
  const Reading reading(kHead + "3/17,0,FEHLER,22012,\"Division durch Null\",,,,,,,," + kTail);
  REQUIRE(reading.events.size() == 1);
  CHECK(reading.events[0].message == "FEHLER:  Division durch Null");
  CHECK(reading.events[0].sqlstate == "22012");
  CHECK(reading.source.tally().unknown_labels == 1);
}

}  // namespace pganalytics::logs
