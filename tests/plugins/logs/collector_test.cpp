#include "tests/plugins/logs/log_folder.h"

namespace pganalytics::logs {

TEST_CASE("each entry is one event, with what its prefix says") {
  LogFolder logs([] {
    Options options;
    options.line_prefix = "%m [%p] %q%u@%d/%a %e ";
    return options;
  }());
  logs.append("a.log",
              "2026-02-03 04:05:06.789 UTC [7] LOG:  checkpoint starting: time\n"
              "2026-02-03 04:05:07.001 UTC [42] bob@shop/my app 22012 ERROR:  division by zero\n"
              "2026-02-03 04:05:07.001 UTC [42] bob@shop/my app 22012 STATEMENT:  select 1,\n\t  1/0\n");
  const auto events = logs.events();
  REQUIRE(events.size() == 2);
  CHECK(events[0].severity == "LOG");
  CHECK(events[0].message == "checkpoint starting: time");
  CHECK(events[0].pid == 7);
  CHECK(events[0].user.empty());
  CHECK(events[0].timestamp == "2026-02-03T04:05:06.789Z");
  CHECK(events[1].severity == "ERROR");
  CHECK(events[1].sqlstate == "22012");
  CHECK(events[1].user == "bob");
  CHECK(events[1].database == "shop");
  CHECK(events[1].statement == "select 1,\n  1/0");
}

TEST_CASE("a run without new entries emits nothing") {
  LogFolder logs;
  logs.append("a.log", entry("one"));
  CHECK(logs.run().documents.size() == 1);
  CHECK(logs.run().documents.empty());
  logs.restart();
  CHECK(logs.run().documents.empty());
}

TEST_CASE("a run that the host dropped is repeated, and only that one") {
  LogFolder logs;
  logs.append("a.log", entry("one"));
  CHECK(logs.messages() == Texts{"one"});
  const auto committed = logs.host.state;
  logs.append("a.log", entry("two"));
  CHECK(logs.messages() == Texts{"two"});
  logs.host.state = committed;  // as if that run had not been sealed
  CHECK(logs.messages() == Texts{"two"});
  CHECK(logs.messages().empty());
}

TEST_CASE("the severity filter drops events but counts entries") {
  Options options;
  options.min_severity = "WARNING";
  LogFolder logs(options);
  logs.append("a.log", entry("a") + entry("b", "WARNING") + entry("c", "ERROR") + entry("d", "DEBUG") + entry("e", "NOTICE"));
  const auto result = logs.run();
  const auto events = LogFolder::events_of(result);
  REQUIRE(events.size() == 2);
  CHECK(events[0].message == "b");
  CHECK(events[1].message == "c");
  rapidjson::Document document;
  document.Parse(result.documents[0].c_str());
  CHECK(document["counts"]["log"] == 1);
  CHECK(document["counts"]["debug"] == 1);
  CHECK(document["counts"]["error"] == 1);

  options.severities = R"(["LOG","FATAL"])";
  logs.configure(options);
  logs.append("a.log", entry("f") + entry("g", "ERROR") + entry("h", "FATAL"));
  CHECK(logs.messages() == Texts{"f", "h"});
}

TEST_CASE("an entry that may go on is held until it is known to be complete") {
  Options options;
  options.idle = "1h";
  LogFolder logs(options);
  logs.append("a.log", entry("one", "ERROR"));
  CHECK(logs.messages().empty());
  logs.append("a.log", entry("because", "DETAIL"));
  CHECK(logs.messages().empty());
  SECTION("by the next entry") {
    logs.append("a.log", entry("two"));
    const auto events = logs.events();
    REQUIRE(events.size() == 1);
    CHECK(events[0].message == "one");
    CHECK(events[0].detail == "because");
  }
  SECTION("by a run in which the file has not grown") {
    const auto events = logs.events();
    REQUIRE(events.size() == 1);
    CHECK(events[0].detail == "because");
    CHECK(logs.events().empty());
  }
}

TEST_CASE("half a line waits for its other half") {
  LogFolder logs;
  const std::string whole = entry("one");
  logs.append("a.log", whole.substr(0, 40));
  CHECK(logs.messages().empty());
  CHECK(logs.messages().empty());
  logs.append("a.log", whole.substr(40));
  CHECK(logs.messages() == Texts{"one"});
}

TEST_CASE("a run stops at its budget and the next one goes on") {
  Options options;
  options.max_bytes_per_run = "1000";
  LogFolder logs(options);
  Texts expected;
  for (int i = 0; i < 100; ++i) {
    logs.append("a.log", entry("entry " + std::to_string(i)));
    expected.push_back("entry " + std::to_string(i));
  }
  Texts seen;
  std::size_t runs = 0;
  for (auto messages = logs.messages(); !messages.empty(); messages = logs.messages(), ++runs) {
    CHECK(messages.size() < 25);
    seen.insert(seen.end(), messages.begin(), messages.end());
  }
  CHECK(runs > 4);
  CHECK(seen == expected);
}

TEST_CASE("documents are bounded in events and in bytes") {
  Options options;
  options.events_per_document = 10;
  LogFolder logs(options);
  for (int i = 0; i < 25; ++i) logs.append("a.log", entry("entry " + std::to_string(i)));
  auto result = logs.run();
  CHECK(result.documents.size() == 3);
  CHECK(LogFolder::events_of(result).size() == 25);

  logs.host.max_document_bytes = 8192;
  for (int i = 0; i < 5; ++i) logs.append("a.log", entry(std::string(3000, 'x')));
  logs.append("a.log", entry(std::string(50'000, '\x01')));
  result = logs.run();
  CHECK(result.documents.size() >= 4);
  const auto events = LogFolder::events_of(result);
  REQUIRE(events.size() == 6);
  CHECK(events[0].truncated_bytes == 0);
  CHECK(events[5].truncated_bytes + events[5].message.size() == 50'000);
}

TEST_CASE("an endless line is delivered in part, counted, and the run makes headway") {
  Options options;
  options.max_bytes_per_run = "1MiB";
  LogFolder logs(options);
  const std::string huge = entry(std::string(9 << 20, 'x'));
  logs.append("a.log", huge + entry("after"));
  std::size_t delivered = 0;
  Texts errors;
  bool after = false;
  for (int run = 0; run < 20 && !after; ++run) {
    const auto result = logs.run();
    for (const auto& event : LogFolder::events_of(result)) {
      if (event.message == "after") {
        after = true;
      } else {
        ++delivered;
        CHECK(event.truncated_bytes > 0);
      }
    }
    for (const auto& code : LogFolder::errors_of(result)) errors.push_back(code);
  }
  CHECK(after);
  CHECK(delivered == 1);
  CHECK(std::count(errors.begin(), errors.end(), "logs.too_long") > 0);
}

TEST_CASE("NUL, bytes that are no UTF-8, and CRLF do no harm") {
  LogFolder logs;
  std::string odd = entry("before X after \xff\xfe");
  odd.replace(odd.find('X'), 1, 1, '\0');
  odd.insert(odd.size() - 1, "\r");
  logs.append("a.log", odd);
  CHECK(logs.messages() == Texts{"before \xEF\xBF\xBD after \xEF\xBF\xBD\xEF\xBF\xBD"});
}

TEST_CASE("NUL in what becomes a field is no NUL either: PostgreSQL could not store it") {
  LogFolder logs;
  std::string odd = entry("parameter \"work_mem\" changed to \"6X4MB\"");
  odd.replace(odd.find('X'), 1, 1, '\0');
  logs.append("a.log", odd);
  const auto result = logs.run();
  CHECK(result.documents.at(0).find("\\u0000") == std::string::npos);
  CHECK(result.documents.at(0).find("\"value\":\"\\\"6\xEF\xBF\xBD"
                                    "4MB") != std::string::npos);
}

TEST_CASE("a wrong line_prefix is told, and the lines arrive all the same") {
  Options options;
  options.line_prefix = "<%t> ";
  LogFolder logs(options);
  logs.append("a.log", entry("one") + entry("two"));
  const auto result = logs.run();
  CHECK(LogFolder::events_of(result).size() == 2);
  CHECK(LogFolder::errors_of(result) == Texts{"logs.line_prefix"});
}

namespace {

const std::string kCsv =
    "2026-02-03 04:05:06.789 UTC,,,42,,65bdc0f2.2a,3,,2026-02-03 04:05:00 UTC,,0,LOG,00000,\"from csv\",,,,,,,,,\"\",\"b\",,0\n";
const std::string kJson = R"({"timestamp":"2026-02-03 04:05:06.789 UTC","error_severity":"LOG","message":"from json"})"
                          "\n";
const std::string kSyslog = "Feb  3 04:05:06 db1 postgres[42]: [1-1] 2026-02-03 04:05:06.789 UTC [42] LOG:  from syslog\n";

}  // namespace

TEST_CASE("each file shows its format") {
  LogFolder logs;
  logs.append("1.log", entry("from stderr"));
  logs.append("2.log", kCsv);
  logs.append("3.log", kJson);
  logs.append("4.log", kSyslog);
  for (int i = 1; i <= 4; ++i) logs.set_age_s(std::to_string(i) + ".log", 100 - i);
  const auto result = logs.run();
  CHECK(LogFolder::errors_of(result).empty());
  const auto events = LogFolder::events_of(result);
  REQUIRE(events.size() == 4);
  CHECK(events[0].message == "from stderr");
  CHECK(events[1].message == "from csv");
  CHECK(events[2].message == "from json");
  CHECK(events[3].message == "from syslog");
  for (const SeenEvent& event : events) CHECK(event.timestamp == "2026-02-03T04:05:06.789Z");
}

TEST_CASE("a file that is not of the format it is said to be is told, and nothing of it leaves unhidden") {
  struct Case {
    const char* format;
    const std::string& content;
    const char* code;
  };
  const std::string stderr_lines = entry("from stderr");
  for (const Case& wrong : {Case{"csvlog", stderr_lines, "logs.not_fitting"}, Case{"csvlog", kJson, "logs.not_fitting"},
                            Case{"jsonlog", kCsv, "logs.not_fitting"}, Case{"stderr", kCsv, "logs.line_prefix"},
                            Case{"stderr", kJson, "logs.line_prefix"}, Case{"syslog", stderr_lines, "logs.line_prefix"}}) {
    CAPTURE(wrong.format, wrong.content);
    Options options;
    options.format = wrong.format;
    options.redact = "all";
    LogFolder logs(options);
    logs.append("a.log", wrong.content);
    const auto result = logs.run();
    CHECK(LogFolder::errors_of(result) == Texts{wrong.code});
    const auto events = LogFolder::events_of(result);
    REQUIRE(events.size() == 1);
    CHECK(events[0].message == "[redacted]");
    CHECK(events[0].user.empty());
  }
}

TEST_CASE("a record that ends with its file waits while it may go on, and is delivered in part when it cannot") {
  const std::string half = kCsv.substr(0, kCsv.find("csv\"")) + "\n";  // within the message
  LogFolder logs;
  logs.append("a.log", kCsv + half);
  CHECK(logs.messages() == Texts{"from csv"});
  CHECK(logs.messages().empty());
  SECTION("its rest comes") {
    logs.append("a.log", "csv\"" + kCsv.substr(kCsv.find(",,,,,,,,,")));
    CHECK(logs.messages() == Texts{"from \ncsv"});
  }
  SECTION("the server writes another file") {
    logs.set_age_s("a.log", 10);
    logs.append("b.log", kCsv);
    const auto result = logs.run();
    CHECK(LogFolder::errors_of(result) == Texts{"logs.torn"});
    REQUIRE(LogFolder::events_of(result).size() == 2);
    CHECK(LogFolder::events_of(result)[0].message == "from \n");
  }
}

TEST_CASE("an endless entry of csvlog or jsonlog is delivered in part, counted, and the next is found") {
  const bool csv = GENERATE(true, false);
  Options options;
  options.max_bytes_per_run = "1MiB";
  LogFolder logs(options);
  std::string text = csv ? kCsv : kJson;
  const std::string filling = csv ? "line, \"\"of\"\" text\n" : "line, \\\"of\\\" text\\n";
  std::string huge;
  while (huge.size() < 9 << 20) huge += filling;
  text.insert(text.find("from"), huge);
  logs.append("a.log", text + (csv ? kCsv : kJson));
  std::size_t partial = 0;
  Texts errors;
  bool after = false;
  for (int run = 0; run < 20 && !after; ++run) {
    const auto result = logs.run();
    for (const auto& event : LogFolder::events_of(result)) {
      after = event.message == (csv ? "from csv" : "from json");
      if (!after) ++partial;
      CHECK(event.severity == "LOG");
      CHECK((event.truncated_bytes > 0) == !after);
    }
    for (const auto& code : LogFolder::errors_of(result)) errors.push_back(code);
  }
  CHECK(after);
  CHECK(partial == 1);
  CHECK(std::count(errors.begin(), errors.end(), "logs.too_long") > 0);
  CHECK(std::count(errors.begin(), errors.end(), "logs.not_fitting") == 0);
}

TEST_CASE("fields say what the message says, and hide what it hides") {
  Options options;
  options.redact = "all";
  LogFolder logs(options);
  logs.append("a.log", entry("duration: 12.50 ms  statement: select 'x'") +
                           entry("parameter \"my.password\" changed to \"hush\"") + entry("nothing that we know"));
  const auto result = logs.run();
  rapidjson::Document document;
  document.Parse(result.documents.at(0).c_str());
  const auto& events = document["events"];
  CHECK(std::string(events[0]["class"].GetString()) == "statement.slow");
  CHECK(events[0]["fields"]["duration_ms"].GetDouble() == 12.5);
  CHECK(std::string(events[1]["class"].GetString()) == "configuration.changed");
  CHECK(std::string(events[1]["fields"]["value"].GetString()) == "[redacted]");
  CHECK_FALSE(events[2].HasMember("class"));
  CHECK(result.documents[0].find("hush") == std::string::npos);
}

TEST_CASE("no file at all is told") {
  LogFolder logs;
  CHECK(LogFolder::errors_of(logs.run()) == Texts{"logs.no_file"});
}

TEST_CASE("a configuration that is wrong leaves the one before in force") {
  LogFolder logs;
  testing::FakeHost host;
  auto instance = host.create(pga_plugin_v1(PGA_ABI_MINOR));
  const auto refused = instance.configure(
      R"({"paths":["/x"],"format":"auto","syslog_ident":"postgres","line_prefix":"%y","min_severity":"LOG","severities":[],"redact":"all","start":"end","max_bytes_per_run":"1MiB","events_per_document":1,"idle":"1s"})");
  REQUIRE(!refused);
  CHECK(refused.error().status == PGA_E_CONFIG);
  CHECK(refused.error().message.find("line_prefix") != std::string::npos);
}

}  // namespace pganalytics::logs
