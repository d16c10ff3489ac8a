// Each way in which log files are rotated, one by one; exactly_once_test.cpp mixes them.
#include "plugins/logs/entries/format.h"
#include "tests/plugins/logs/log_folder.h"

namespace pganalytics::logs {

TEST_CASE("start = end: what was there before the first run is history, what comes later is read whole") {
  Options options;
  options.start = "end";
  LogFolder logs(options);
  logs.append("a.log", entry("old"));
  CHECK(logs.messages().empty());
  logs.append("a.log", entry("new"));
  logs.append("b.log", entry("first of b"));
  logs.set_age_s("a.log", 10);
  CHECK(logs.messages() == Texts{"new", "first of b"});
}

TEST_CASE("start = end applies to the files of a path that is added later") {
  Options options;
  options.start = "end";
  LogFolder logs(options);
  logs.append("a.log", entry("old"));
  logs.append("a.txt", entry("old"));
  CHECK(logs.messages().empty());
  options.paths = "[\"" + logs.path("*.log") + "\",\"" + logs.path("*.txt") + "\"]";
  logs.configure(options);
  CHECK(logs.messages().empty());
  logs.append("a.txt", entry("new"));
  CHECK(logs.messages() == Texts{"new"});
}

TEST_CASE("a path that is taken out is read to its end, and no more") {
  LogFolder logs;
  logs.append("a.log", entry("one"));
  CHECK(logs.messages() == Texts{"one"});
  logs.append("a.log", entry("two"));
  logs.append("b.txt", entry("three"));
  logs.set_age_s("a.log", 10);
  Options options;
  options.paths = "[\"" + logs.path("*.txt") + "\"]";
  logs.configure(options);
  CHECK(logs.messages() == Texts{"two", "three"});
  logs.append("a.log", entry("not ours any more"));
  logs.append("b.txt", entry("four"));
  CHECK(logs.messages() == Texts{"four"});
}

TEST_CASE("start = end in the middle of a line takes the whole line") {
  Options options;
  options.start = "end";
  LogFolder logs(options);
  logs.append("a.log", entry("old") + entry("half").substr(0, 42));
  CHECK(logs.messages().empty());
  logs.append("a.log", entry("half").substr(42));
  CHECK(logs.messages() == Texts{"half"});
}

TEST_CASE("rename and create: the old file is finished first, inside the patterns or not") {
  const std::string rotated = GENERATE("a-1.log", "a.log.1");
  LogFolder logs;
  logs.append("a.log", entry("one"));
  CHECK(logs.messages() == Texts{"one"});
  logs.append("a.log", entry("two"));
  logs.rename("a.log", rotated);
  logs.append(rotated, entry("three"));  // the server has it open still
  logs.set_age_s(rotated, 5);
  logs.append("a.log", entry("four"));
  logs.restart();
  CHECK(logs.messages() == Texts{"two", "three", "four"});
  logs.append(rotated, entry("five"));
  CHECK(logs.messages() == Texts{"five"});
  CHECK(logs.messages().empty());
}

TEST_CASE("several rotations while nobody looked") {
  LogFolder logs;
  logs.append("a.log", entry("one"));
  CHECK(logs.messages() == Texts{"one"});
  logs.append("a.log", entry("two"));
  logs.rename("a.log", "2.log");
  logs.set_age_s("2.log", 30);
  logs.append("a.log", entry("three"));
  logs.rename("a.log", "1.log");
  logs.set_age_s("1.log", 20);
  logs.append("a.log", entry("four"));
  CHECK(logs.messages() == Texts{"two", "three", "four"});
}

TEST_CASE("copy and truncate: the rest comes from the copy, once") {
  const std::string rotated = GENERATE("a-1.log", "a.log.1");
  LogFolder logs;
  logs.append("a.log", entry("one, long enough for a fingerprint that tells files apart"));
  CHECK(logs.messages().size() == 1);
  logs.append("a.log", entry("two"));
  logs.copy("a.log", rotated);
  SECTION("seen between the two") {
    CHECK(logs.messages() == Texts{"two"});
    logs.append("a.log", entry("lost between copy and truncate"));
    logs.truncate("a.log");
    CHECK(logs.messages().empty());
  }
  SECTION("seen after both") {
    logs.truncate("a.log");
    logs.set_age_s(rotated, 5);
    logs.append("a.log", entry("three"));
    CHECK(logs.messages() == Texts{"two", "three"});
  }
  logs.append("a.log", entry("last"));
  CHECK(logs.messages() == Texts{"last"});
  CHECK(logs.messages().empty());
}

TEST_CASE("truncated and grown beyond where it was: from the beginning, not from the middle") {
  LogFolder logs;
  logs.append("a.log", entry("one"));
  CHECK(logs.messages() == Texts{"one"});
  logs.truncate("a.log");
  logs.append("a.log", entry("a longer first entry than before") + entry("and a second"));
  CHECK(logs.messages() == Texts{"a longer first entry than before", "and a second"});
}

TEST_CASE("what was removed before it was read is reported") {
  Options options;
  options.idle = "1h";
  LogFolder logs(options);
  logs.append("a.log", entry("one") + entry("held"));
  CHECK(logs.messages() == Texts{"one"});
  logs.append("a.log", entry("never seen"));
  logs.remove("a.log");
  logs.restart();  // nobody has it open any more
  logs.append("b.log", entry("two"));
  const auto result = logs.run();
  CHECK(LogFolder::errors_of(result) == Texts{"logs.lost"});
  rapidjson::Document document;
  document.Parse(result.documents.at(0).c_str());
  const auto& gap = document["events"][0];
  CHECK(std::string(gap["class"].GetString()) == "log.gap");
  CHECK(std::string(gap["severity"].GetString()) == "WARNING");
  CHECK(gap["fields"]["path"].GetString() == logs.path("a.log"));
  CHECK(gap["fields"]["lost_bytes"].GetUint64() == entry("held").size());
  CHECK(gap["fields"]["from_byte"].GetUint64() == entry("one").size());
  CHECK(LogFolder::errors_of(logs.run()).empty());
}

TEST_CASE("what was renamed and removed, or compressed, within one interval is read to its end") {
  LogFolder logs;
  logs.append("a.log", entry("one"));
  CHECK(logs.messages() == Texts{"one"});
  logs.append("a.log", entry("two"));
  logs.rename("a.log", "a.log.1");
  logs.append("a.log.1", entry("three"));
  logs.append("a.log", entry("four"));
  logs.append("a.log.1.gz", "\x1f\x8b\x08 not text\n");
  logs.remove("a.log.1");
  const auto result = logs.run();
  CHECK(LogFolder::errors_of(result).empty());
  Texts all;
  for (const SeenEvent& event : LogFolder::events_of(result)) all.push_back(event.message);
  CHECK(all == Texts{"two", "three", "four"});
  CHECK(logs.messages().empty());
  logs.append("a.log", entry("five"));
  CHECK(logs.messages() == Texts{"five"});
}

TEST_CASE("what a run could not hand over is read again by the next, though nothing happens between") {
  LogFolder logs;
  logs.append("a.log", entry("one"));
  CHECK(logs.messages() == Texts{"one"});
  CHECK(logs.messages().empty());
  CHECK(logs.messages().empty());
  logs.append("a.log", entry("two"));
  logs.host.faults = {{testing::Service::kEmit, 1, PGA_E_FAIL, true}};
  logs.try_run();
  logs.host.faults.clear();
  CHECK(logs.messages() == Texts{"two"});
}

TEST_CASE("a hard link or a symbolic link is the same file") {
  LogFolder logs;
  logs.append("a.log", entry("one"));
  std::filesystem::create_hard_link(logs.path("a.log"), logs.path("b.log"));
  std::filesystem::create_symlink(logs.path("a.log"), logs.path("current.log"));
  CHECK(logs.messages() == Texts{"one"});
}

TEST_CASE("half a line at the end of a file that another one succeeded is delivered") {
  LogFolder logs;
  logs.append("a.log", entry("one") + "2026-02-03 04:05:06.789 UTC [9] PANIC:  disk fu");
  CHECK(logs.messages().empty());  // the half may be a DETAIL of the one
  logs.set_age_s("a.log", 10);
  logs.append("b.log", entry("two"));
  CHECK(logs.messages() == Texts{"one", "disk fu", "two"});
  CHECK(logs.messages().empty());
}

namespace {

// The second of three entries has several lines.
struct Divided {
  std::string text;
  std::size_t first_bytes;
  std::size_t last_bytes;
};

Divided divided(Format format) {
  const auto csv = [](const std::string& message) {
    return "2026-02-03 04:05:06.789 UTC,,,42,,65bdc0f2.2a,3,,2026-02-03 04:05:00 UTC,,0,LOG,00000,\"" + message +
           "\",\"a detail\",,,,,,,,\"\",\"b\",,0\n";
  };
  const auto json = [](const std::string& message) {
    return R"({"timestamp":"2026-02-03 04:05:06.789 UTC","error_severity":"LOG","message":")" + message +
           "\",\"detail\":\"a detail\"}\n";
  };
  const auto syslog = [](int report, int chunk, const std::string& text) {
    return "Feb  3 04:05:06 db1 postgres[42]: [" + std::to_string(report) + "-" + std::to_string(chunk) + "] " + text;
  };
  switch (format) {
    case Format::kCsvlog:
      return {csv("one") + csv("two\nwith \"\"a\"\" second line") + csv("three"), csv("one").size(), csv("three").size()};
    case Format::kJsonlog:
      return {json("one") + json("two\\nwith \\\"a\\\" second line") + json("three"), json("one").size(), json("three").size()};
    case Format::kSyslog: {
      const std::string first = syslog(1, 1, entry("one", "LOG", 42)) + syslog(1, 2, entry("a detail", "DETAIL", 42));
      const std::string last = syslog(3, 1, entry("three", "LOG", 42)) + syslog(3, 2, entry("a detail", "DETAIL", 42));
      return {first + syslog(2, 1, entry("two", "LOG", 42)) + syslog(2, 2, "#011with \"a\" second line\n") +
                  syslog(2, 3, entry("a detail", "DETAIL", 42)) + last,
              first.size(), last.size()};
    }
    case Format::kStderr: break;
  }
  const std::string detail = entry("a detail", "DETAIL");
  return {entry("one") + detail + entry("two\n\twith \"a\" second line", "ERROR") + detail + entry("three") + detail,
          (entry("one") + detail).size(), (entry("three") + detail).size()};
}

}  // namespace

TEST_CASE("an entry that is divided over two files, anywhere, is one entry") {
  const Format format = GENERATE(Format::kStderr, Format::kCsvlog, Format::kJsonlog, Format::kSyslog);
  const bool copied = GENERATE(false, true);
  const Divided log = divided(format);
  CAPTURE(copied, format_name(format));
  for (std::size_t cut = log.first_bytes + 1; cut < log.text.size() - log.last_bytes; ++cut) {
    CAPTURE(cut);
    // A file that begins with what syslog's header stands before is stderr for all that can be told.
    if (format == Format::kSyslog && log.text.compare(cut, 5, "2026-") == 0) continue;
    LogFolder logs;
    logs.append("a.log", log.text.substr(0, cut));
    if (copied) {
      logs.copy("a.log", "b.log");
      logs.truncate("a.log");
    } else {
      logs.rename("a.log", "b.log");
    }
    logs.set_age_s("b.log", 10);
    logs.append("a.log", log.text.substr(cut));
    const auto result = logs.run();
    const auto events = LogFolder::events_of(result);
    REQUIRE(events.size() == 3);
    CHECK(events[0].message == "one");
    CHECK(events[1].message == "two\nwith \"a\" second line");
    CHECK(events[1].detail == "a detail");
    CHECK(events[2].message == "three");
    CHECK(LogFolder::errors_of(result).empty());
    CHECK(logs.messages().empty());
  }
}

TEST_CASE("the rest of a divided entry is waited for, but not for ever") {
  Options options;
  options.idle = "1h";
  LogFolder logs(options);
  logs.append("b.log", entry("one") + entry("two\n\twith a sec").substr(0, entry("two\n\twith a sec").size() - 1));
  logs.set_age_s("b.log", 10);
  logs.append("a.log", "ond line\n");
  CHECK(logs.messages() == Texts{"one"});
  SECTION("more comes") {
    logs.append("a.log", "\tand a third\n" + entry("three"));
    CHECK(logs.messages() == Texts{"two\nwith a second line\nand a third"});
  }
  SECTION("nothing comes") {
    CHECK(logs.messages().empty());  // so short a file would not be known again after a copy and a truncation
    logs.set_age_s("b.log", 7210);
    logs.set_age_s("a.log", 7200);
    CHECK(logs.messages() == Texts{"two\nwith a second line"});
  }
}

// So long that its file is known again, wherever it goes.
std::string long_entry(const std::string& message) { return entry(message + std::string(80, '.')); }

TEST_CASE("a file that goes on in an entry waits while the one before it does") {
  Options options;
  options.idle = "1h";
  LogFolder logs(options);
  const std::string two = entry("two\n\tand more"), three = entry("three");
  logs.append("c.log", entry("one") + two.substr(0, two.size() - 3));
  logs.append("b.log", two.substr(two.size() - 3) + "\tto come\n");
  logs.set_age_s("c.log", 20);
  logs.set_age_s("b.log", 15);
  auto seen = logs.messages();
  CHECK(seen == Texts{"one"});  // of "two" there may be more
  logs.append("b.log", three.substr(0, 10));
  logs.set_age_s("b.log", 15);
  logs.append("a.log", three.substr(10) + entry("four"));
  for (int run = 0; run < 3; ++run) {
    for (const std::string& message : logs.messages()) seen.push_back(message);
  }
  CHECK(seen == Texts{"one", "two\nand more\nto come", "three", "four"});
}

TEST_CASE("what follows a whole entry two files on is no part of it") {
  LogFolder logs;
  logs.append("c.log", entry("one") + entry("a detail", "DETAIL"));
  logs.append("b.log", entry("two") + entry("three").substr(0, 20));
  logs.append("a.log", entry("three").substr(20) + entry("four"));
  logs.append("late.log", "\tand more\n" + entry("five"));
  logs.set_age_s("c.log", 30);
  logs.set_age_s("b.log", 20);
  logs.set_age_s("a.log", 10);
  CHECK(logs.messages() == Texts{"one", "two", "three", "four\nand more", "five"});
}

TEST_CASE("the rest of an entry that is all of a file, copied and truncated, comes once") {
  Options options;
  options.idle = GENERATE("1h", "0s");
  LogFolder logs(options);
  const std::string two = entry("two");
  logs.append("b.log", long_entry("one") + two.substr(0, two.size() - 5));
  logs.set_age_s("b.log", 10);
  logs.append("a.log", two.substr(two.size() - 5));
  auto seen = logs.messages();
  logs.copy("a.log", "copy.log");
  logs.truncate("a.log");
  logs.append("copy.log", entry("three"));
  logs.set_age_s("copy.log", 5);
  logs.append("a.log", long_entry("four"));
  for (int run = 0; run < 2; ++run) {
    for (const std::string& message : logs.messages()) seen.push_back(message);
  }
  for (std::string& message : seen) message = message.substr(0, message.find('.'));
  CHECK(seen == Texts{"one", "two", "three", "four"});
}

TEST_CASE("what begins a file after a finished one is no part of it") {
  LogFolder logs;
  logs.append("b.log", entry("one"));
  logs.set_age_s("b.log", 10);
  logs.append("a.log", "output of a program\n" + entry("two"));
  CHECK(logs.messages() == Texts{"one", "output of a program", "two"});
}

TEST_CASE("half a line of a file that still grows is not taken for its end") {
  Options options;
  options.idle = "1h";
  LogFolder logs(options);
  logs.append("b.log", entry("two"));
  logs.append("a.log", entry("one").substr(0, 42));
  logs.set_age_s("a.log", 10);
  CHECK(logs.messages().empty());
  logs.append("a.log", entry("one").substr(42));
  logs.set_age_s("a.log", 5);
  CHECK(logs.messages() == Texts{"two"});
  CHECK(logs.messages() == Texts{"one"});
}

TEST_CASE("compressed files are left alone") {
  LogFolder logs;
  logs.append("a.log", "\x1f\x8b\x08 not text\n");
  logs.append("b.log", entry("one"));
  CHECK(logs.messages() == Texts{"one"});
}

TEST_CASE("more files than the state has room for are read once all the same") {
  LogFolder logs;
  constexpr int kFiles = 900;
  for (int i = 0; i < kFiles; ++i) {
    const std::string name = "postgresql-with-a-rather-long-name-" + std::to_string(1000 + i) + ".log";
    logs.append(name, entry("file " + std::to_string(i)));
    logs.set_age_s(name, 10'000 - i);
  }
  CHECK(logs.messages().size() == kFiles);
  CHECK(logs.host.state.begin()->second.size() < 64 * 1024);
  CHECK(logs.messages().empty());
  logs.append("new.log", entry("new"));
  CHECK(logs.messages() == Texts{"new"});
}

}  // namespace pganalytics::logs
