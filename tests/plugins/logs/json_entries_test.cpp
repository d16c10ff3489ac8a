#include "plugins/logs/entries/json_entries.h"

#include "tests/plugins/logs/feed.h"
#include "tests/support/catch.h"

#include <string>
#include <vector>

namespace pganalytics::logs {
namespace {

// An entry with `members`, which begin with a comma.
std::string line(const std::string& members) {
  return R"({"timestamp":"2026-02-03 04:05:06.789 UTC","pid":42,"error_severity":"ERROR","state_code":"22012")" + members + "}\n";
}
std::string simple(const std::string& message) { return line(R"(,"message":")" + message + "\""); }

struct Reading {
  explicit Reading(const std::string& text, Rest rest = Rest::kResting, bool resynchronise = false,
                   std::size_t piece_bytes = 1 << 20)
      : source(0, resynchronise) {
    end = feed(source, text, events, 0, piece_bytes);
    next = source.finish(rest, events);
  }
  JsonEntries source;
  std::vector<Event> events;
  std::uint64_t end = 0;
  std::uint64_t next = 0;
};

}  // namespace

TEST_CASE("jsonlog: each key finds its place") {
  const Reading reading(line(
      R"json(,"user":"bob","dbname":"shop","remote_host":"10.0.0.1","remote_port":5432,"session_id":"65bdc0f2.2a","line_num":3,"ps":"SELECT","session_start":"2026-02-03 04:05:00 UTC","vxid":"3/17","txid":0,"message":"division by zero","detail":"a \"detail\"","hint":"a hint","internal_query":"select inner","internal_position":3,"context":"function f()","statement":"select 1/0\r\n\u00e9","cursor_position":8,"func_name":"f","file_name":"f.c","file_line_num":1,"application_name":"app","backend_type":"client backend","leader_pid":9,"query_id":-7)json"));
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
  CHECK(event.statement == "select 1/0\n\xC3\xA9");
  CHECK(event.cursor_position == 8);
  CHECK(event.location == "f, f.c:1");
  CHECK(event.application == "app");
  CHECK(event.backend_type == "client backend");
  CHECK(event.leader_pid == 9);
  CHECK(event.query_id == -7);
  CHECK(reading.next == reading.end);
}

TEST_CASE("jsonlog: unknown keys and values of another kind are passed over") {
  const Reading reading(
      line(R"(,"new":{"message":"no","pid":[1,{"x":null}]},"message":"yes","detail":5,"hint":null,"line_num":"3","x":1.5e300)"));
  REQUIRE(reading.events.size() == 1);
  CHECK(reading.events[0].message == "yes");
  CHECK(reading.events[0].pid == 42);
  CHECK(reading.events[0].detail.empty());
  CHECK_FALSE(reading.events[0].session_line);
  CHECK(reading.source.tally().not_fitting == 0);
}

TEST_CASE("jsonlog: what is no entry is an event without a severity, and counted") {
  const std::string odd =
      GENERATE(as<std::string>{}, "cp: cannot stat 'x'\n", "{}\n", "[1]\n", "5\n",
               "{\"timestamp\":\"2026-02-03 04:05:06.789 UTC\"}\n", "{\"timestamp\":\"2026-02-03 04:05:06.789 UTC\",\n",
               simple("x").substr(0, 100) + "\n", "{\"a\":" + std::string(100'000, '[') + "\n", simple("x").insert(5, 1, '\0'));
  CAPTURE(odd.substr(0, 200));
  const Reading reading(simple("before") + odd + simple("after"));
  REQUIRE(reading.events.size() == 3);
  CHECK(reading.events[0].message == "before");
  CHECK_FALSE(reading.events[1].severity);
  CHECK_FALSE(reading.events[1].message.empty());
  CHECK(reading.events[2].message == "after");
  CHECK(reading.source.tally().not_fitting == 1);
}

TEST_CASE("jsonlog: bytes that are no UTF-8 do no harm") {
  const Reading reading(simple("a\xff\xfe"));
  REQUIRE(reading.events.size() == 1);
  CHECK(reading.events[0].message == "a\xff\xfe");
}

TEST_CASE("jsonlog: half a line waits; where the file ends with it, what there is of it is delivered") {
  const std::string whole = line(R"(,"message":"a \\ \u00e9 \n b","statement":"select \\")");
  const std::string half = whole.substr(0, GENERATE_COPY(range<std::size_t>(1, whole.size() - 1)));
  CAPTURE(half);
  const Reading waiting(simple("one") + half, Rest::kResting);
  CHECK(waiting.events.size() == 1);
  CHECK(waiting.next == simple("one").size());
  const Reading over(simple("one") + half, Rest::kOver);
  REQUIRE(over.events.size() == 2);
  CHECK(over.next == over.end);
  CHECK(over.source.tally().torn + over.source.tally().not_fitting == 1);
  const bool has_message = half.find("message") != std::string::npos && half.find("message\":\"a") != std::string::npos;
  CHECK(over.events[1].severity.has_value() == has_message);
  if (has_message) CHECK(std::string("a \\ \xC3\xA9 \n b").find(over.events[1].message) == 0);
}

TEST_CASE("jsonlog: texts and lines are bounded and what is cut is counted, in however many pieces they come") {
  const std::size_t length = GENERATE(1'000'000, 6'000'000);
  const std::size_t piece_bytes = GENERATE(std::size_t{1} << 20, std::size_t{1} << 16);
  const std::string text = line(R"(,"message":"m","statement":")" + std::string(length, 'x') + R"(","query_id":-7)");
  const Reading reading(text + simple("next"), Rest::kResting, false, piece_bytes);
  REQUIRE(reading.events.size() == 2);
  CHECK(reading.events[0].message == "m");
  CHECK(reading.events[0].statement.size() == kMaxTextBytes);
  CHECK(reading.events[0].truncated_bytes >= length - kMaxTextBytes);
  CHECK(reading.events[0].truncated_bytes < length - kMaxTextBytes + 100);
  CHECK(reading.events[0].query_id == (length < kMaxJsonBytes ? std::optional<std::int64_t>(-7) : std::nullopt));
  CHECK(reading.events[1].message == "next");
  CHECK(reading.source.tally().torn + reading.source.tally().not_fitting == 0);
}

TEST_CASE("jsonlog: in the middle of a cut line its rest is passed over") {
  const std::string rest = R"(rest {\"timestamp\":\"2026"})"
                           "\n";
  const Reading reading(rest + simple("next"), Rest::kResting, true);
  REQUIRE(reading.events.size() == 1);
  CHECK(reading.events[0].message == "next");
  CHECK(reading.source.tally().passed_over_bytes == rest.size());
}

}  // namespace pganalytics::logs
