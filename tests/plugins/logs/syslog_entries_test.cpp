#include "plugins/logs/entries/syslog_entries.h"

#include "tests/plugins/logs/feed.h"
#include "tests/plugins/logs/host_zone.h"
#include "tests/support/catch.h"

#include <string>
#include <vector>

namespace pganalytics::logs {
namespace {

constexpr std::int64_t kNewest = 1770100000;  // 2026-02-03 06:26:40 UTC

class Reading {
 public:
  explicit Reading(const std::string& text, const std::string& prefix = "", Rest rest = Rest::kResting,
                   bool resynchronise = false)
      : prefix_(LinePrefix::compile(prefix).value()), source(prefix_, "postgres", kNewest, 0, resynchronise) {
    end = feed(source, text, events);
    next = source.finish(rest, events);
  }

 private:
  LinePrefix prefix_;

 public:
  SyslogEntries source;
  std::vector<Event> events;
  std::uint64_t end = 0;
  std::uint64_t next = 0;
};

std::string chunk(int pid, const std::string& text) {
  return "Feb  3 04:05:06 db1 postgres[" + std::to_string(pid) + "]: " + text + "\n";
}

}  // namespace

TEST_CASE("syslog: the headers of the usual daemons") {
  const HostZone zone("UTC0");
  struct Case {
    const char* line;
    std::int64_t unix_ms;
    const char* host;
  };
  for (const Case& example :
       {Case{"Feb  3 04:05:06 db1 postgres[42]: text: it", 1770091506000, "db1"},
        Case{"<134>Feb  3 04:05:06 db1 postgres[42]: text: it", 1770091506000, "db1"},
        Case{"Feb 03 04:05:06 postgres[42]: text: it", 1770091506000, ""},
        Case{"2026-02-03T04:05:06.789012+00:00 db1 postgres[42]: text: it", 1770091506789, "db1"},
        Case{"2026-02-03T09:35:06.7+05:30 db1 postgres[42]: text: it", 1770091506700, "db1"},
        Case{"<134>1 2026-02-03T04:05:06.789Z db1 postgres 42 - - text: it", 1770091506789, "db1"},
        Case{"1 2026-02-03T04:05:06Z - postgres 42 ID [a@1 x=\"]\\\"\"][b@1] \xEF\xBB\xBFtext: it", 1770091506000, ""}}) {
    CAPTURE(example.line);
    SyslogClock clock(kNewest);
    const auto header = parse_syslog_header(example.line, clock);
    REQUIRE(header);
    CHECK(header->unix_ms == example.unix_ms);
    CHECK(header->host == example.host);
    CHECK(header->ident == "postgres");
    CHECK(header->pid == "42");
    CHECK(header->text == "text: it");
  }
  for (const char* other :
       {"", "text", "Feb", "Fex  3 04:05:06 db1 postgres[42]: text", "Feb  3 04:05:66 db1 postgres[42]: text",
        "Feb 30 04:05:06 x", "2026-02-03 04:05:06.789 UTC [42] LOG:  stderr", "2026-02-03T04:05:06 db1 postgres[42]: text",
        "2026-13-03T04:05:06Z db1 postgres[42]: text", "1 2026-02-03T04:05:06Z - postgres 42",
        "1 2026-02-03T04:05:06Z - postgres 42 - [a", "<999999>Feb  3 04:05:06 db1 postgres[42]: text"}) {
    CAPTURE(other);
    SyslogClock clock(kNewest);
    CHECK_FALSE(parse_syslog_header(other, clock));
  }
}

TEST_CASE("syslog: a time without a year is the latest that is possible, in the host's zone") {
  const HostZone zone("CET-1CEST,M3.5.0,M10.5.0/3");
  SyslogClock clock(kNewest);
  const auto at = [&](const char* time) { return parse_syslog_header(std::string(time) + " h postgres[1]: x", clock)->unix_ms; };
  CHECK(at("Feb  3 05:05:06") == 1770091506000);
  CHECK(at("Dec 31 23:59:59") == 1767221999000);  // of the year before
  CHECK(at("Jul  1 02:00:00") == 1751328000000);  // in summer time
  CHECK(at("Feb 29 00:00:00") == 1709161200000);  // of 2024
  CHECK(at("Feb  4 06:00:00") == 1770181200000);  // a clock that is ahead
}

TEST_CASE("syslog: what is remembered of a moment is of that very second") {
  const HostZone zone("CET-1CEST,M3.5.0,M10.5.0/3");
  SyslogClock remembering(kNewest);
  // Each differs from the one before it in one part.
  for (const char* time : {"Jan  3 05:05:06", "Jan  3 05:05:07", "Jan  3 05:06:07", "Jan  3 06:06:07", "Jan  4 06:06:07",
                           "Jul  4 06:06:07", "Jul  4 06:06:07", "Jan  4 06:06:07"}) {
    CAPTURE(time);
    const std::string line = std::string(time) + " h postgres[1]: x";
    SyslogClock fresh(kNewest);
    CHECK(parse_syslog_header(line, remembering)->unix_ms == parse_syslog_header(line, fresh)->unix_ms);
  }
}

TEST_CASE("syslog: the chunks of a report make one event") {
  const Reading reading(chunk(42, "[5-1] ERROR:  no such thing at character 15") + chunk(42, "[5-2] HINT:  look") +
                        chunk(42, "[5-3] #011elsewhere") + chunk(42, "[5-4] STATEMENT:  select thing") +
                        chunk(42, "[5-5] #011 from") + chunk(42, "[5-6]  here") + chunk(42, "[6-1] LOG:  next"));
  REQUIRE(reading.events.size() == 2);
  CHECK(reading.events[0].pid == 42);
  CHECK(reading.events[0].message == "no such thing");
  CHECK(reading.events[0].cursor_position == 15);
  CHECK(reading.events[0].hint == "look\nelsewhere");
  CHECK(reading.events[0].statement == "select thing\n from here");
  CHECK(reading.events[1].message == "next");
  CHECK(reading.source.tally().missing_chunks == 0);
}

TEST_CASE("syslog: a chunk that ends within a label is a label's all the same") {
  const Reading reading(chunk(42, "[5-1] ERROR: ") + chunk(42, "[5-2]  longword") + chunk(42, "[5-3] STATEMENT: ") +
                        chunk(42, "[5-4]  select'longword") + chunk(42, "[5-5]  more"));
  REQUIRE(reading.events.size() == 1);
  CHECK(reading.events[0].message == "longword");
  CHECK(reading.events[0].statement == "select'longword more");
}

TEST_CASE("syslog: the other ways to number and to split") {
  for (const char* text : {"[5] ERROR:  one#012#011two#012STATEMENT:  select#012#011  1",
                           "ERROR:  one#012#011two#012STATEMENT:  select#012#011  1#012"}) {
    CAPTURE(text);
    const Reading reading(chunk(42, text) + chunk(42, "LOG:  next"));
    REQUIRE(reading.events.size() == 2);
    CHECK(reading.events[0].message == "one\ntwo");
    CHECK(reading.events[0].statement == "select\n  1");
  }
  const Reading reading(chunk(42, "[1] ERROR:  one") + chunk(42, "[2] \ttwo") + chunk(42, "[3] STATEMENT:  select") +
                        chunk(42, "[4]  1"));
  REQUIRE(reading.events.size() == 1);
  CHECK(reading.events[0].message == "one\ntwo");
  CHECK(reading.events[0].statement == "select 1");
}

TEST_CASE("syslog: chunks of processes, and of hosts, that interleave find their reports") {
  std::string text;
  const auto on = [](const char* host, const std::string& what) {
    return "Feb  3 04:05:06 " + std::string(host) + " postgres[7]: " + what + "\n";
  };
  text += on("db1", "[1-1] ERROR:  one") + on("db2", "[9-1] ERROR:  two") + chunk(8, "[3-1] ERROR:  three");
  text += on("db1", "[1-2] #011more of one") + on("db2", "[9-2] DETAIL:  of two") + chunk(8, "[3-2]  goes on") +
          on("db1", "[1-3] DETAIL:  of one");
  const Reading reading(text);
  REQUIRE(reading.events.size() == 3);
  CHECK(reading.events[0].message == "one\nmore of one");
  CHECK(reading.events[0].detail == "of one");
  CHECK(reading.events[1].message == "two");
  CHECK(reading.events[1].detail == "of two");
  CHECK(reading.events[2].message == "three goes on");
}

TEST_CASE("syslog: a report waits until its process begins another, or many lines came") {
  const std::string one = chunk(7, "[1-1] ERROR:  one");
  CHECK(Reading(one + chunk(8, "[1-1] LOG:  x"), "", Rest::kGrowing).next == 0);
  CHECK(Reading(one + chunk(7, "[2-1] LOG:  x"), "", Rest::kGrowing).next == one.size());
  std::string many = one;
  for (int i = 0; i < 64; ++i) many += chunk(9, "[" + std::to_string(i + 1) + "-1] LOG:  x");
  CHECK(Reading(many, "", Rest::kGrowing).next == many.size() - chunk(9, "[64-1] LOG:  x").size());
}

TEST_CASE("syslog: a chunk that is missing is counted") {
  const Reading reading(chunk(7, "[1-1] ERROR:  one") + chunk(7, "[1-4] STATEMENT:  x") + chunk(7, "[2-2] DETAIL:  y"));
  CHECK(reading.source.tally().missing_chunks == 3);
  const Reading history(chunk(7, "[1-3] STATEMENT:  of a report before we began"));
  CHECK(history.source.tally().missing_chunks == 0);
  CHECK(history.events.size() == 1);
}

TEST_CASE("syslog: time and process are the prefix's if it says them") {
  const HostZone zone("UTC0");
  const Reading reading(chunk(42, "[1-1] 2026-02-03 04:05:06.789 UTC [43] bob@shop ERROR:  x") +
                            chunk(44, "[1-1] 2026-02-03 04:05:06.789 UTC [44] LOG:  y"),
                        "%m [%p] %q%u@%d ");
  REQUIRE(reading.events.size() == 2);
  CHECK(reading.events[0].unix_ms == 1770091506789);
  CHECK(reading.events[0].pid == 43);
  CHECK(reading.events[0].user == "bob");
  CHECK(reading.events[1].message == "y");
  CHECK(Reading(chunk(42, "[1-1] LOG:  z")).events.at(0).unix_ms == 1770091506000);
}

TEST_CASE("syslog: other programs' lines are passed over, lines of none are not") {
  const Reading reading(chunk(42, "[1-1] LOG:  ours") + "Feb  3 04:05:06 db1 sshd[1]: LOG:  theirs\n" +
                        "Feb  3 04:05:06 db1 postgres-17[1]: LOG:  similar\n" + "no syslog at all\n" +
                        chunk(42, "[2-1] LOG:  ours too"));
  REQUIRE(reading.events.size() == 3);
  CHECK(reading.events[0].message == "ours");
  CHECK(reading.events[1].message == "no syslog at all");
  CHECK_FALSE(reading.events[1].severity);
  CHECK(reading.events[2].message == "ours too");
  CHECK(reading.source.tally().other_programs == 2);
  CHECK(reading.source.tally().similar_idents == 1);
}

TEST_CASE("syslog: #011 and #012 are what they stand for, other such words are not") {
  const Reading reading(chunk(42, "[1-1] LOG:  a#011b #01 #013 #000 #01"));
  REQUIRE(reading.events.size() == 1);
  CHECK(reading.events[0].message == "a\tb #01 #013 #000 #01");
}

}  // namespace pganalytics::logs
