#include "plugins/logs/classes/class_filter.h"

#include "plugins/logs/classes/class_number.h"
#include "tests/plugins/logs/log_folder.h"

namespace pganalytics::logs {
namespace {

Texts wanted_of(const std::vector<std::string>& classes, const std::vector<std::string>& excluded) {
  const auto filter = ClassFilter::compile(classes, excluded);
  REQUIRE(filter);
  Texts names;
  for (std::size_t number = 0; number < class_count(); ++number) {
    if (filter.value().wants(number)) names.emplace_back(class_name(number));
  }
  return names;
}

}  // namespace

TEST_CASE("globs over the names of classes") {
  CHECK(fits_glob("lock.*", "lock.deadlock"));
  CHECK(fits_glob("*", "other"));
  CHECK(fits_glob("*", ""));
  CHECK(fits_glob("*.deadlock", "lock.deadlock"));
  CHECK(fits_glob("*dead*", "lock.deadlock"));
  CHECK(fits_glob("l*k*d**k", "lock.deadlock"));
  CHECK(fits_glob("lock.deadlock", "lock.deadlock"));
  CHECK_FALSE(fits_glob("lock", "lock.deadlock"));
  CHECK_FALSE(fits_glob("lock.*", "locks.deadlock"));
  CHECK_FALSE(fits_glob("*.dead", "lock.deadlock"));
  CHECK_FALSE(fits_glob("", "lock.deadlock"));
}

TEST_CASE("an entry is wanted if one of the classes fits and none of the excluded") {
  CHECK(wanted_of({"*"}, {}).size() == class_count());
  CHECK(wanted_of({"lock.deadlock", "other"}, {}) == Texts{"lock.deadlock", "other"});
  CHECK(wanted_of({"lock.*"}, {"lock.*"}).empty());
  CHECK(wanted_of({"lock.*", "other"}, {"lock.*"}) == Texts{"other"});
  CHECK(wanted_of({"*"}, {"*.*"}) == Texts{"other"});
}

TEST_CASE("a class that there is not is an error of the configuration") {
  for (const char* glob : {"lokc.*", "", "Lock.*", "lock"}) {
    CAPTURE(glob);
    const auto wrong = ClassFilter::compile({"*", glob}, {});
    REQUIRE_FALSE(wrong);
    CHECK(wrong.error().status == PGA_E_CONFIG);
    CHECK(wrong.error().message.find("'classes' has '" + std::string(glob) + "'") == 0);
    CHECK(ClassFilter::compile({"*"}, {glob}).error().message.find("'exclude_classes'") == 0);
  }
}

TEST_CASE("a marked glob may fit no class, and is told") {
  CHECK(wanted_of({"?lock.deadlock", "?newer.*"}, {"?newest.*"}) == Texts{"lock.deadlock"});
  CHECK(wanted_of({"?newer.*"}, {}).empty());
  const auto filter = ClassFilter::compile({"?lock.*", "?newer.*"}, {"?newest.*", "?lock.deadlock"});
  REQUIRE(filter);
  CHECK(filter.value().unknown() == Texts{"newer.*", "newest.*"});
  CHECK_FALSE(ClassFilter::compile({"??lock.*"}, {}).value().unknown().empty());
  CHECK_FALSE(ClassFilter::compile({"?newer.*", "newer.*"}, {}));
}

TEST_CASE("classes and severities both have to want an entry, and all are counted") {
  Options options;
  options.min_severity = "LOG";
  options.classes = R"(["statement.*","query.*","other"])";
  options.exclude_classes = R"(["statement.duration"])";
  LogFolder logs(options);
  const std::string text = entry("statement: select 1") + entry("duration: 1.000 ms") + entry("shutting down") +
                           entry("division by zero", "ERROR") + entry("something new", "WARNING") + "no report\n";
  logs.append("a.log", text);
  auto result = logs.run();
  const auto messages = [&] {
    Texts all;
    for (const SeenEvent& event : LogFolder::events_of(result)) all.push_back(event.message);
    return all;
  };
  CHECK(messages() == Texts{"statement: select 1", "division by zero", "something new", "no report"});
  auto classes = LogFolder::classes_of(result);
  using Counted = std::pair<std::uint64_t, std::uint64_t>;
  CHECK(classes["statement.duration LOG"] == Counted{1, 0});
  CHECK(classes["server.shutting_down LOG"] == Counted{1, 0});
  CHECK(classes["statement.logged LOG"] == Counted{1, 1});
  CHECK(classes["other WARNING"] == Counted{1, 1});
  CHECK(classes["other null"] == Counted{1, 1});

  options.min_severity = "WARNING";
  logs.configure(options);  // while it runs
  logs.append("a.log", text);
  result = logs.run();
  CHECK(messages() == Texts{"division by zero", "something new"});
}

}  // namespace pganalytics::logs
