// The commands that come and go: exit codes, what goes to which stream, and what the messages say.
#include "core/schema/json_text.h"
#include "core/spool/spool.h"
#include "core/spool/spool_view.h"
#include "tests/core/collector/program.h"
#include "tests/support/catch.h"
#include "tests/support/must.h"
#include "tests/support/temporary_folder.h"

#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <map>

using namespace pganalytics;
using namespace pganalytics::collector_test;
using Catch::Contains;

namespace {

// A configuration whose plugins are core/host's test plugins.
class Setup {
 public:
  explicit Setup(const std::string& plugins, const std::string& more = "") {
    write_text(config(), "[collector]\nname = \"db1\"\nstate_dir = \"" + folder_ / "state" +
                             "\"\nplugin_dirs = [\"" TEST_PLUGIN_DIR "\"]\n" + more + plugins);
  }
  [[nodiscard]] std::string config() const { return folder_ / "c.toml"; }
  [[nodiscard]] std::string state_dir() const { return folder_ / "state"; }
  [[nodiscard]] const testing::TemporaryFolder& folder() const { return folder_; }
  [[nodiscard]] Ended run(std::vector<std::string> arguments) const {
    arguments.insert(arguments.end(), {"--config", config()});
    return run_program(arguments);
  }

 private:
  testing::TemporaryFolder folder_;
};

// The clock of a machine on which it is `days` earlier.
class DaysAgo : public clock::Clock {
 public:
  explicit DaysAgo(int days) : ns_(days * 86'400'000'000'000LL) {}
  [[nodiscard]] std::int64_t unix_ns() const override { return clock::now_unix_ns() - ns_; }
  [[nodiscard]] std::int64_t monotonic_ns() const override { return clock::now_monotonic_ns(); }

 private:
  const std::int64_t ns_;
};

int count_of(const std::string& line) {
  const auto document = schema::parse_json(line);
  INFO(line);
  REQUIRE(document);
  return (*document)["count"].GetInt();
}

}  // namespace

TEST_CASE("every command explains itself") {
  for (const char* const command : {"run", "cron", "once", "check-config", "doctor", "register", "status", "plugin", "version"}) {
    INFO(command);
    const Ended ended = run_program({command, "--help"});
    CHECK(ended.exit_code == 0);
    CHECK_THAT(ended.out, Contains("usage: pganalytics") && Contains("--config FILE") && Contains("--plugin-dir DIR"));
    CHECK(ended.err.empty());
  }
  for (const char* const action : {"list", "describe", "release", "run"}) {
    INFO(action);
    const Ended ended = run_program({"plugin", action, "--help"});
    CHECK(ended.exit_code == 0);
    CHECK_THAT(ended.out, Contains(std::string("usage: pganalytics plugin ") + action) && Contains("--config FILE"));
    CHECK_THAT(run_program({"plugin", "--help"}).out, Contains(std::string("  ") + action));
  }
  CHECK_THAT(run_program({"--help"}).out, Contains("check-config"));
  CHECK_THAT(run_program({"version"}).out, Contains("pganalytics ") && Contains("ABI 1."));
}

TEST_CASE("a wrong command line is exit code 2 and a hint on standard error") {
  const std::vector<std::vector<std::string>> wrong = {{},
                                                       {"statsu"},
                                                       {"once", "--plugni", "x"},
                                                       {"once", "word"},
                                                       {"doctor", "word"},
                                                       {"register"},
                                                       {"register", "--token", "a", "--token-file", "b"},
                                                       {"plugin"},
                                                       {"plugin", "lst"},
                                                       {"plugin", "describe"},
                                                       {"plugin", "release"},
                                                       {"plugin", "release", "no such id"},
                                                       {"plugin", "release", "test_counter@No"},
                                                       {"plugin", "list", "x"},
                                                       {"plugin", "run"},
                                                       {"plugin", "run", "test_counter", "--every", "5"},
                                                       {"run", "--config"}};
  for (const auto& arguments : wrong) {
    INFO((arguments.empty() ? "" : arguments.back()));
    const Ended ended = run_program(arguments);
    CHECK(ended.exit_code == 2);
    CHECK(ended.out.empty());
    CHECK_FALSE(ended.err.empty());
  }
  CHECK_THAT(run_program({"statsu"}).err, Contains("HINT: Did you mean 'status'?"));
}

TEST_CASE("a wrong configuration is exit code 2 with file, line, key and hint, for every command that reads it") {
  const Setup setup("[plugins.test_counter]\nenabled = maybe\n");
  for (const std::vector<std::string>& command :
       std::vector<std::vector<std::string>>{{"run"},
                                             {"once"},
                                             {"check-config"},
                                             {"doctor"},
                                             {"status"},
                                             {"plugin", "list"},
                                             {"register", "--token", "x", "--ca-pin", "y"}}) {
    INFO(command.front());
    const Ended ended = setup.run(command);
    CHECK(ended.exit_code == 2);
    CHECK_THAT(ended.err, Contains(setup.config() + ":6: ") && Contains("HINT: "));
  }
  const Ended unknown = Setup("[plugins.test_countr]\n").run({"check-config"});
  CHECK(unknown.exit_code == 2);
  CHECK_THAT(unknown.err, Contains("c.toml:5: plugins.test_countr: no such plugin is installed") && Contains("'test_counter'"));
  const Ended absent = run_program({"check-config", "--config", "/nonexistent.toml"});
  CHECK(absent.exit_code == 2);
  CHECK_THAT(absent.err, Contains("/nonexistent.toml"));
}

TEST_CASE("check-config says what is right") {
  const Ended ended =
      Setup("[plugins.test_counter]\ninterval = \"5s\"\n[plugins.test_steady]\nenabled = false\n").run({"check-config"});
  CHECK(ended.exit_code == 0);
  CHECK_THAT(ended.out, Contains("is right") && Contains("test_counter every 5 s") && !Contains("test_steady"));
}

TEST_CASE("plugin list shows every candidate, and why one is refused") {
  const Setup setup("[plugins.test_counter]\n[plugins.test_steady]\nenabled = false\n");
  const Ended ended = setup.run({"plugin", "list", "--json"});
  CHECK(ended.exit_code == 0);
  const auto list = schema::parse_json(ended.out);
  REQUIRE(list);
  std::map<std::string, std::string> states;
  for (const auto& plugin : list->GetArray()) {
    states[plugin["id"].GetString()] = plugin["state"].GetString();
    CHECK((plugin["state"] == "refused") == plugin["refused"].IsString());
  }
  CHECK(states["test_counter"] == "enabled");
  CHECK(states["test_steady"] == "disabled");
  CHECK(states["test_unruly"] == "available");
  CHECK(states["test_noteless"] == "refused");
  CHECK(states["test_foreign"] == "refused");
  for (const auto& plugin : list->GetArray()) {
    if (plugin["id"] != "test_counter") continue;
    CHECK(plugin["abi"] == "1." + std::to_string(PGA_ABI_MINOR));
    CHECK(plugin["version"].IsNull());  // only its code knows
  }
  const Ended text = setup.run({"plugin", "list"});
  CHECK_THAT(text.out,
             Contains("test_foreign") && Contains("refused: ") && Contains("ABI") && Contains("looked in " TEST_PLUGIN_DIR));
}

TEST_CASE("plugin list has a line for each instance") {
  const Setup setup("[plugins.\"test_counter@a\"]\n[plugins.\"test_counter@b\"]\nenabled = false\n");
  const auto list = schema::parse_json(setup.run({"plugin", "list", "--json"}).out);
  REQUIRE(list);
  std::map<std::string, std::string> states;
  for (const auto& plugin : list->GetArray()) states[plugin["id"].GetString()] = plugin["state"].GetString();
  CHECK(states["test_counter@a"] == "enabled");
  CHECK(states["test_counter@b"] == "disabled");
  CHECK(states.count("test_counter") == 0);
  CHECK(states["test_steady"] == "available");
}

TEST_CASE("plugin list runs no code of a plugin unless it is told to") {
  const Setup setup("[plugins.test_counter]\n");
  ::setenv("PGANALYTICS_WORKER", "/nonexistent", 1);  // nothing else ever loads a plugin
  const Ended list = setup.run({"plugin", "list"});
  CHECK_THAT(list.out, Contains("test_counter  ") && Contains("  enabled  "));
  const Ended unable = setup.run({"plugin", "list", "--describe"});
  ::unsetenv("PGANALYTICS_WORKER");
  CHECK_THAT(unable.out, Contains("refused: ") && !Contains("enabled"));
  CHECK_THAT(setup.run({"plugin", "list", "--describe"}).out, Contains("VERSION") && Contains("1.0.0"));
}

TEST_CASE("plugin describe takes a file, wherever it lies, and tells the nearest of a wrong name") {
  const Setup setup("");
  const Ended file = setup.run({"plugin", "describe", TEST_PLUGIN_DIR "/test_counter.so"});
  CHECK(file.exit_code == 0);
  CHECK_THAT(file.out, Contains("test_counter 1.0.0"));
  const Ended noteless = setup.run({"plugin", "describe", TEST_PLUGIN_DIR "/test_noteless.so"});
  CHECK(noteless.exit_code == 1);
  CHECK_THAT(noteless.err, Contains("no plugin note"));
  CHECK_THAT(setup.run({"plugin", "describe", "test_countr"}).err, Contains("HINT: Did you mean 'test_counter'?"));
  CHECK(setup.run({"plugin", "describe", "test_counter", "--json", "--toml"}).exit_code == 2);
  CHECK_THAT(setup.run({"plugin", "describe", "test_counter", "--markdown"}).out, Contains("# test_counter\n"));
  CHECK_THAT(setup.run({"plugin", "describe", "test_counter", "--toml"}).out, Contains("#[plugins.test_counter]\n"));
}

TEST_CASE("plugin describe shows what a plugin says of itself") {
  const Setup setup("");
  CHECK_THAT(setup.run({"plugin", "describe", "test_counter"}).out, Contains("test_counter 1.0.0") && Contains("build id: "));
  const Ended json = setup.run({"plugin", "describe", "test_counter", "--json"});
  const auto described = schema::parse_json(json.out);
  REQUIRE(described);
  CHECK((*described)["config_schema"].IsObject());
  CHECK(setup.run({"plugin", "describe", "nobody"}).exit_code == 1);
  CHECK(setup.run({"plugin", "describe", "test_foreign"}).exit_code == 1);
}

TEST_CASE("once prints each enabled plugin's documents as lines, and nothing else on standard output") {
  const Ended ended = Setup("[plugins.test_counter]\n[plugins.test_steady]\n").run({"once"});
  CHECK(ended.exit_code == 0);
  CHECK(std::count(ended.out.begin(), ended.out.end(), '\n') == 2);
  CHECK_THAT(ended.out, Contains("\"type\":\"test_counter\"") && Contains("\"type\":\"test_steady\""));
  CHECK(ended.err.empty());
}

TEST_CASE("once takes a plugin that is not configured, and indents if asked") {
  const Ended ended = Setup("").run({"once", "--plugin", "test_counter", "--pretty"});
  CHECK(ended.exit_code == 0);
  CHECK_THAT(ended.out, Contains("{\n  \"type\": \"test_counter\""));
  const Ended nothing = Setup("").run({"once"});
  CHECK(nothing.exit_code == 2);
  CHECK_THAT(nothing.err, Contains("no plugin is enabled") && Contains("HINT"));
}

TEST_CASE("once keeps what plugins remember only with --commit") {
  const Setup setup("[plugins.test_counter]\n");
  CHECK(count_of(setup.run({"once"}).out) == 1);
  CHECK(count_of(setup.run({"once"}).out) == 1);
  CHECK(count_of(setup.run({"once", "--commit"}).out) == 1);
  CHECK(count_of(setup.run({"once", "--commit"}).out) == 2);
  CHECK(count_of(setup.run({"once"}).out) == 3);
  CHECK(count_of(setup.run({"once"}).out) == 3);
}

TEST_CASE("instances go by their whole names on the command line, each with its own state") {
  const Setup setup("[plugins.test_counter]\n[plugins.\"test_counter@two\"]\ninterval = \"5s\"\n");
  CHECK_THAT(setup.run({"check-config"}).out, Contains("test_counter every") && Contains("test_counter@two every 5 s"));
  const Ended both = setup.run({"once"});
  CHECK(both.exit_code == 0);
  CHECK(std::count(both.out.begin(), both.out.end(), '\n') == 2);
  CHECK(count_of(setup.run({"once", "--plugin", "test_counter@two", "--commit"}).out) == 1);
  CHECK(count_of(setup.run({"once", "--plugin", "test_counter@two"}).out) == 2);
  CHECK(count_of(setup.run({"once", "--plugin", "test_counter"}).out) == 1);
  CHECK(setup.run({"plugin", "run", "test_counter@two", "--set", "step=2"}).exit_code == 0);

  for (const std::vector<std::string>& command :
       std::vector<std::vector<std::string>>{{"once", "--plugin", "test_counter@tow"}, {"plugin", "run", "test_counter@tow"}}) {
    const Ended unknown = setup.run(command);
    CHECK(unknown.exit_code == 2);
    CHECK_THAT(unknown.err, Contains("no instance 'test_counter@tow' is configured") && Contains("'test_counter@two'"));
  }
  const Ended wrong = setup.run({"once", "--plugin", "test_counter@Two"});
  CHECK(wrong.exit_code == 2);
  CHECK_THAT(wrong.err, Contains("'Two' is not an instance's name"));
  const Ended described = setup.run({"plugin", "describe", "test_counter@two"});
  CHECK(described.exit_code == 0);
  CHECK_THAT(described.out, Contains("test_counter 1.0.0"));
}

TEST_CASE("what waits in the spool is kept as configured by each command that writes to it, and for its own collector") {
  const std::string command = GENERATE("once", "release");
  const auto of_command = [&] {
    return command == "once" ? std::vector<std::string>{"once", "--commit"}
                             : std::vector<std::string>{"plugin", "release", "test_counter"};
  };
  const Setup setup("[spool]\nmax_age = \"7d\"\nkeep_free = 0\n[plugins.test_counter]\n");
  const std::string id = "11111111-2222-4333-8444-555555555555", file = setup.state_dir() + "/identity/identity.json";
  std::filesystem::create_directories(setup.state_dir() + "/identity");
  write_text(setup.state_dir() + "/identity/key.pem", "key");
  REQUIRE(::chmod((setup.state_dir() + "/identity/key.pem").c_str(), 0600) == 0);
  write_text(file, R"({"collector_id":")" + id + R"(","backend_url":"https://localhost:1"})");
  const DaysAgo clock(4);
  spool::SpoolOptions options;
  options.collector_id = id;
  options.keep_free_bytes = 0;
  options.clock = &clock;
  std::string epoch;
  {
    const auto spool = testing::must(spool::Spool::open(setup.state_dir(), options));
    spool::SealedRun run;
    run.plugin = "pg_stats";
    run.documents = {"{}", "{}"};
    testing::must(spool->seal(std::move(run)));
    testing::must(spool->set_value("quarantine.test_counter", "a record"));
    REQUIRE(testing::must(spool->next(spool::Lane::kLive)));  // the server may have it, under this key
    run.plugin = "pg_stats";
    run.documents = {"{}"};
    testing::must(spool->seal(std::move(run)));
    epoch = testing::must(spool->status()).epoch;
  }
  const auto waits = [&] {
    const auto status = testing::must(testing::must(spool::SpoolView::open(setup.state_dir())).status());
    CHECK(status.waiting_documents == 3);
    CHECK(status.lost_documents == 0);
    CHECK(status.epoch == epoch);
  };

  const std::string identity = read_text(file);
  write_text(file, "{}");
  const Ended refused = setup.run(of_command());
  CHECK(refused.exit_code != 0);
  CHECK_THAT(refused.err, Contains("collector_id is not a UUID"));
  waits();
  write_text(file, identity);
  const Ended done = setup.run(of_command());
  INFO(done.err);
  CHECK(done.exit_code == 0);
  waits();
}

TEST_CASE("a plugin that fails is exit code 1 and costs the others nothing") {
  for (const char* const doing : {"fail after emitting", "segv", "malformed"}) {
    INFO(doing);
    const Ended ended =
        Setup("[plugins.test_counter]\n[plugins.test_unruly]\ndo = \"" + std::string(doing) + "\"\n").run({"once"});
    CHECK(ended.exit_code == 1);
    CHECK_THAT(ended.out, Contains("\"type\":\"test_counter\"") && !Contains("test_unruly"));
    CHECK_THAT(ended.err, Contains("test_unruly"));
  }
}

TEST_CASE("a file that is no plugin is exit code 1 with the reason, others run") {
  const Setup setup("[plugins.test_counter]\n[plugins.test_noteless]\n");
  const Ended all = setup.run({"once"});
  CHECK(all.exit_code == 1);
  CHECK_THAT(all.out, Contains("test_counter"));
  CHECK_THAT(all.err, Contains("test_noteless"));
  const Ended foreign = setup.run({"once", "--plugin", "test_foreign"});
  CHECK(foreign.exit_code == 1);
  CHECK_THAT(foreign.err, Contains("ABI"));
  CHECK(setup.run({"check-config"}).exit_code == 1);
  const Ended nobody = setup.run({"once", "--plugin", "nobody"});
  CHECK(nobody.exit_code == 2);
  CHECK_THAT(nobody.err, Contains("no such plugin"));
}

TEST_CASE("a plugin that others can write is refused") {
  const Setup setup("");
  const std::string file = setup.folder() / "test_counter.so";
  std::filesystem::copy_file(TEST_PLUGIN_DIR "/test_counter.so", file);
  REQUIRE(::chmod(file.c_str(), 0666) == 0);
  write_text(setup.config(), "[collector]\nstate_dir = \"" + setup.folder() / "state" + "\"\nplugin_dirs = [\"" +
                                 setup.folder().path() + "\"]\n");
  const Ended refused = setup.run({"once", "--plugin", "test_counter"});
  CHECK(refused.exit_code == 1);
  CHECK_THAT(refused.err, Contains(file) && Contains("HINT"));
  REQUIRE(::chmod(file.c_str(), 0755) == 0);
  CHECK(setup.run({"once", "--plugin", "test_counter"}).exit_code == 0);
}

TEST_CASE("folders of the command line come before those of the file") {
  const Setup setup("");
  const Ended ended = setup.run({"plugin", "list", "--plugin-dir", setup.folder().path()});
  CHECK(ended.out.find("looked in " + setup.folder().path()) < ended.out.find("looked in " TEST_PLUGIN_DIR));
}

TEST_CASE("register says what is missing before it talks to anybody") {
  const Setup setup("");
  struct Case {
    std::vector<std::string> arguments;
    const char* message;
  };
  const Case cases[] = {
      {{"register", "--token", "x", "--ca-pin", "sha256:00"}, "no server to register with"},
      {{"register", "--token", "x", "--ca-pin", "sha256:00", "--backend", "http://h"}, "not an https URL"},
      {{"register", "--token", "x", "--backend", "https://h:1"}, "nothing says which server to trust"},
      {{"register", "--token-file", "-", "--ca-pin", "sha256:00", "--backend", "https://h:1"}, "no registration token"},
      {{"register", "--token-file", "/nonexistent", "--ca-pin", "sha256:00", "--backend", "https://h:1"}, "/nonexistent"},
  };
  for (const Case& wrong : cases) {
    INFO(wrong.message);
    const Ended ended = setup.run(wrong.arguments);
    CHECK(ended.exit_code == 2);
    CHECK_THAT(ended.err, Contains(wrong.message));
  }
  const Ended away =
      setup.run({"register", "--token", "x", "--ca-pin", "sha256:" + std::string(64, '0'), "--backend", "https://127.0.0.1:9"});
  CHECK(away.exit_code == 1);
  CHECK_FALSE(away.err.empty());
}

TEST_CASE("run with a server but no identity says how to get one") {
  const Ended ended = Setup("[plugins.test_counter]\n[backend]\nurl = \"https://127.0.0.1:9\"\n").run({"run"});
  CHECK(ended.exit_code == 2);
  CHECK_THAT(ended.err, Contains("register"));
}

TEST_CASE("status of a folder where nothing ever ran") {
  const Setup setup("");
  CHECK_THAT(setup.run({"status"}).out, Contains("not running") && Contains("not registered") && Contains("none yet"));
  const Ended json = setup.run({"status", "--json"});
  CHECK(json.exit_code == 3);
  const auto status = schema::parse_json(json.out);
  REQUIRE(status);
  CHECK((*status)["pid"].IsNull());
  CHECK((*status)["spool"].IsNull());
  CHECK((*status)["live"] == false);
  CHECK((*status)["healthy"] == false);
}

TEST_CASE("plugin release without a collector tells an unknown plugin from one that is not quarantined") {
  const Setup setup("[plugins.test_counter]\n");
  const Ended unknown = setup.run({"plugin", "release", "nosuch"});
  CHECK(unknown.exit_code == 1);
  CHECK_THAT(unknown.err, Contains("no plugin 'nosuch' is installed") && Contains("HINT: "));
  CHECK(setup.run({"plugin", "release", "test_counter"}).exit_code == 1);  // there is not even a spool

  REQUIRE(setup.run({"once", "--commit"}).exit_code == 0);
  const Ended clean = setup.run({"plugin", "release", "test_counter", "--json"});
  CHECK(clean.exit_code == 1);
  CHECK_THAT(clean.err, Contains("nothing is held against plugin test_counter") && Contains("HINT: "));
  const auto answer = schema::parse_json(clean.out);
  REQUIRE(answer);
  CHECK((*answer)["released"] == false);
  CHECK((*answer)["reason"] == "plugin.not_quarantined");
}

TEST_CASE("plugin release without a collector clears the record that one left") {
  const Setup setup("[plugins.test_counter]\n");
  REQUIRE(setup.run({"once", "--commit"}).exit_code == 0);
  {
    const auto spool = testing::must(spool::Spool::open(setup.state_dir(), {}));
    testing::must(spool->set_value("quarantine.test_counter", "a record"));
    testing::must(spool->set_value("quarantine.test_counter@two", "a record"));
  }
  const Ended instance = setup.run({"plugin", "release", "test_counter@two"});
  CHECK_THAT(instance.out, Contains("test_counter@two is released"));
  CHECK(setup.run({"plugin", "release", "test_counter@two"}).exit_code == 1);
  const Ended released = setup.run({"plugin", "release", "test_counter"});
  CHECK(released.exit_code == 0);
  CHECK_THAT(released.out, Contains("test_counter is released"));
  const auto spool = testing::must(spool::Spool::open(setup.state_dir(), {}));
  CHECK_FALSE(testing::must(spool->value("quarantine.test_counter")));
  const Ended locked = setup.run({"plugin", "release", "test_steady"});
  CHECK(locked.exit_code == 1);  // nothing to clear: the lock is not even asked for
}
