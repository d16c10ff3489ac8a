#include "plugins/logs/entries/stderr_entries.h"

#include "tests/support/catch.h"

#include <string>
#include <vector>

namespace pganalytics::logs {
namespace {

// Feeds lines, written "PID LABEL:  text" or as they are.
class Feed {
 public:
  explicit Feed(const std::string& prefix = "%p ", bool resynchronise = false)
      : prefix_(LinePrefix::compile(prefix).value()), entries_(prefix_, 0, resynchronise) {}

  Feed& line(const std::string& text, bool starts_line = true) {
    Line line;
    line.text = text;
    line.begin = at_;
    line.end = at_ += text.size() + 1;
    line.starts_line = starts_line;
    entries_.add(line, events);
    return *this;
  }
  std::uint64_t finish(Rest rest = Rest::kResting) { return entries_.finish(rest, events); }

  [[nodiscard]] std::uint64_t at() const { return at_; }
  StderrEntries& entries() { return entries_; }

  std::vector<Event> events;

 private:
  LinePrefix prefix_;
  StderrEntries entries_;
  std::uint64_t at_ = 0;
};

}  // namespace

TEST_CASE("the lines of one report make one event") {
  Feed feed;
  feed.line("1 ERROR:  first")
      .line("\tsecond")
      .line("\t\tthird")
      .line("1 DETAIL:  why")
      .line("\tand why")
      .line("1 HINT:  do this");
  feed.line("1 QUERY:  select inner")
      .line("1 CONTEXT:  function f()")
      .line("1 LOCATION:  f, f.c:1")
      .line("1 STATEMENT:  select f()");
  CHECK(feed.finish() == feed.at());
  REQUIRE(feed.events.size() == 1);
  const Event& event = feed.events[0];
  CHECK(event.message == "first\nsecond\n\tthird");
  CHECK(event.detail == "why\nand why");
  CHECK(event.hint == "do this");
  CHECK(event.internal_query == "select inner");
  CHECK(event.context == "function f()");
  CHECK(event.location == "f, f.c:1");
  CHECK(event.statement == "select f()");
}

TEST_CASE("parts join the report of their process, also when another process is in between") {
  Feed feed;
  feed.line("1 ERROR:  one").line("2 ERROR:  two").line("1 DETAIL:  of one").line("\tmore of one").line("2 DETAIL:  of two");
  feed.finish();
  REQUIRE(feed.events.size() == 2);
  CHECK(feed.events[0].detail == "of one\nmore of one");
  CHECK(feed.events[1].detail == "of two");
}

TEST_CASE("the last entry is held, and what is interleaved with it") {
  Feed feed;
  feed.line("3 LOG:  before");
  const std::uint64_t one = feed.at();
  feed.line("1 ERROR:  one").line("2 ERROR:  two").line("1 DETAIL:  of one").line("2 DETAIL:  of two");
  CHECK(feed.finish(Rest::kGrowing) == one);
  REQUIRE(feed.events.size() == 1);
  CHECK(feed.events[0].message == "before");
}

TEST_CASE("a part without its report is an event of its own") {
  Feed feed;
  feed.line("1 STATEMENT:  select 1").line("\tfrom t");
  feed.finish();
  REQUIRE(feed.events.size() == 1);
  CHECK(feed.events[0].message.empty());
  CHECK_FALSE(feed.events[0].severity);
  CHECK(feed.events[0].statement == "select 1\nfrom t");
}

TEST_CASE("output of other programs is neither lost nor mixed in") {
  Feed feed;
  feed.line("1 LOG:  one").line("cp: cannot stat 'x'").line("1 LOG:  two");
  feed.finish();
  REQUIRE(feed.events.size() == 3);
  CHECK(feed.events[1].message == "cp: cannot stat 'x'");
  CHECK_FALSE(feed.events[1].severity);
}

TEST_CASE("verbose logs carry the SQLSTATE in the message") {
  Feed feed;
  feed.line("1 ERROR:  42P01: relation \"t\" does not exist").line("1 ERROR:  WORDS: are no state").line("1 LOG:  00000: ");
  feed.finish();
  REQUIRE(feed.events.size() == 3);
  CHECK(feed.events[0].sqlstate == "42P01");
  CHECK(feed.events[0].message == "relation \"t\" does not exist");
  CHECK(feed.events[1].sqlstate.empty());
  CHECK(feed.events[1].message == "WORDS: are no state");
  CHECK(feed.events[2].message.empty());
}

TEST_CASE("a position behind the message is of the internal query if there is one, else of the statement") {
  Feed feed;
  feed.line("1 ERROR:  no such thing at character 15").line("1 STATEMENT:  select thing");
  feed.line("1 ERROR:  nor this").line("\tat all at character 7").line("1 QUERY:  select this").line("1 STATEMENT:  select f()");
  feed.line("1 LOG:  at character").line("1 LOG:  character 5").line("1 LOG:  at character 0");
  feed.finish();
  REQUIRE(feed.events.size() == 5);
  CHECK(feed.events[0].message == "no such thing");
  CHECK(feed.events[0].cursor_position == 15);
  CHECK(feed.events[1].message == "nor this\nat all");
  CHECK(feed.events[1].internal_position == 7);
  CHECK_FALSE(feed.events[1].cursor_position);
  CHECK(feed.events[2].message == "at character");
  CHECK(feed.events[3].message == "character 5");
  CHECK(feed.events[4].message == "at character 0");
}

TEST_CASE("a prefix with every escape says who, where and since when") {
  Feed feed("%m|%p|%u|%d|%a|%r|%c|%l|%s|%v|%x|%i|%b|%P|%Q|%e|");
  feed.line(
      "2026-02-03 04:05:06.789 UTC|7|bob|shop|my app|10.0.0.1(5432)|65bdc0f2.7|3|2026-02-03 04:05:00 UTC|3/17|99|SELECT|parallel "
      "worker|6|-42|00000|LOG:  all");
  feed.line(
      "2026-02-03 04:05:06.789 UTC|8|[unknown]|[unknown]|[unknown]|[local]|65bdc0f2.8|1|2026-02-03 04:05:00 UTC||0||client "
      "backend||0|00000|LOG:  nothing yet");
  feed.finish();
  REQUIRE(feed.events.size() == 2);
  const Event& all = feed.events[0];
  CHECK(all.remote_host == "10.0.0.1");
  CHECK(all.remote_port == 5432);
  CHECK(all.session_id == "65bdc0f2.7");
  CHECK(all.session_line == 3);
  CHECK(all.session_start_unix_ms == 1770091500000);
  CHECK(all.virtual_transaction == "3/17");
  CHECK(all.transaction == 99);
  CHECK(all.command == "SELECT");
  CHECK(all.backend_type == "parallel worker");
  CHECK(all.leader_pid == 6);
  CHECK(all.query_id == -42);
  const Event& nothing = feed.events[1];
  CHECK(nothing.user.empty());
  CHECK(nothing.application.empty());
  CHECK(nothing.remote_host == "[local]");
  CHECK_FALSE(nothing.remote_port);
  CHECK_FALSE(nothing.transaction);
  CHECK_FALSE(nothing.leader_pid);
  CHECK_FALSE(nothing.query_id);
}

TEST_CASE("in the middle of a cut entry the rest of it is passed over and counted") {
  Feed feed("%p ", true);
  feed.line("rest of a long line").line("\tmore").line("1 DETAIL:  of it");
  const std::uint64_t passed = feed.at();
  CHECK(feed.entries().passing_over());
  feed.line("2 LOG:  next");
  CHECK_FALSE(feed.entries().passing_over());
  feed.finish();
  REQUIRE(feed.events.size() == 1);
  CHECK(feed.events[0].message == "next");
  CHECK(feed.entries().tally().passed_over_bytes == passed);
}

TEST_CASE("the pieces of an overlong line are counted as cut") {
  Feed feed;
  feed.line("1 LOG:  " + std::string(300'000, 'x')).line(std::string(1000, 'y'), false).line("1 LOG:  next");
  feed.finish();
  REQUIRE(feed.events.size() == 2);
  CHECK(feed.events[0].message.size() + feed.events[0].truncated_bytes == 301'000);
}

TEST_CASE("a severity in another language is counted, and nothing of it is lost") {
  Feed feed;
  feed.line("1 FEHLER:  Division durch Null");
  feed.finish();
  REQUIRE(feed.events.size() == 1);
  CHECK(feed.events[0].message == "FEHLER:  Division durch Null");
  CHECK(feed.entries().tally().unknown_labels == 1);
}

TEST_CASE("many entries leave in their order") {
  Feed feed;
  for (int i = 0; i < 500; ++i) feed.line(std::to_string(i % 7) + " LOG:  " + std::to_string(i));
  feed.finish();
  REQUIRE(feed.events.size() == 500);
  for (int i = 0; i < 500; ++i) CHECK(feed.events[static_cast<std::size_t>(i)].message == std::to_string(i));
}

}  // namespace pganalytics::logs
