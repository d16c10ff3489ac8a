#include "core/config/collector_config.h"

#include "tests/support/catch.h"
#include "tests/support/temporary_folder.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>

using namespace pganalytics;

namespace {

config::CollectorConfig loaded(const std::string& text, const config::Environment& environment = {}) {
  auto config = config::load_text(text, "c.toml", environment);
  INFO((config ? "" : config.error().message));
  REQUIRE(config);
  return std::move(config).value();
}

class Folder {
 public:
  Folder() { std::filesystem::create_directory(folder_ / "conf.d"); }
  void write(const std::string& name, const std::string& text) const { std::ofstream(file(name)) << text; }
  [[nodiscard]] std::string file(const std::string& name) const { return folder_ / name; }

 private:
  testing::TemporaryFolder folder_;
};

}  // namespace

TEST_CASE("an empty file is the defaults") {
  const auto config = loaded("");
  CHECK_FALSE(config.name.empty());
  CHECK(config.state_dir == "/var/lib/pganalytics");
  CHECK(config.config_pull_interval_ms == 300'000);
  CHECK(config.push_timeout_ms == 30'000);
  CHECK(config.output == "-");
  CHECK_FALSE(config.backend.has_value());
  CHECK(config.spool.max_bytes == 512LL << 20);
  CHECK(config.spool.max_age_ms == 172'800'000);
  CHECK_FALSE(config.spool.keep_free_bytes);
  CHECK(config.plugins.empty());
}

TEST_CASE("each key of the file arrives") {
  const auto config = loaded(R"(
[collector]
name = "db1"
state_dir = "/srv/pga"
plugin_dirs = ["/a", "/b"]
config_pull_interval = "10s"
push_timeout = "5s"
log_level = "debug"
log_format = "json"
output = "/tmp/documents.jsonl"
[backend]
url = "https://server:8443/"
ca_file = "/etc/ca.crt"
proxy = "http://proxy:3128"
[spool]
max_bytes = "1GiB"
max_age = "12h"
keep_free = "0B"
[plugins.pg_stats]
interval = "60s"
timeout = "10s"
databases = ["*"]
pin = ["interval"]
[plugins.sysstat]
enabled = false
pin = true
)");
  CHECK(config.name == "db1");
  CHECK(config.state_dir == "/srv/pga");
  CHECK(config.plugin_dirs == std::vector<std::string>{"/a", "/b"});
  CHECK(config.config_pull_interval_ms == 10'000);
  CHECK(config.push_timeout_ms == 5'000);
  CHECK(config.log_level == log::Level::kDebug);
  CHECK(config.log_format == log::Format::kJson);
  CHECK(config.output == "/tmp/documents.jsonl");
  REQUIRE(config.backend.has_value());
  CHECK(config.backend->url == "https://server:8443");
  CHECK(config.backend->ca_file == "/etc/ca.crt");
  CHECK(config.backend->proxy == "http://proxy:3128");
  CHECK(config.spool.max_bytes == 1LL << 30);
  CHECK(config.spool.max_age_ms == 43'200'000);
  CHECK(config.spool.keep_free_bytes == 0);
  const auto& stats = config.plugins.at("pg_stats");
  CHECK(stats.enabled);
  CHECK(stats.interval_ms == 60'000);
  CHECK(stats.timeout_ms == 10'000);
  CHECK(stats.pins("interval"));
  CHECK_FALSE(stats.pins("databases"));
  REQUIRE(stats.keys.find("databases") != nullptr);
  CHECK(stats.keys.find("interval") == nullptr);
  CHECK_FALSE(config.plugins.at("sysstat").enabled);
  CHECK(config.plugins.at("sysstat").pins("anything"));
}

TEST_CASE("what batches are pushed to instead of a server") {
  CHECK_FALSE(loaded("").delivers());
  const auto config = loaded(R"([output.remote_write]
url = "https://mimir.example/api/v1/push"
ca_file = "/ca.crt"
proxy = "http://proxy:3128"
bearer_token = { "$secret" = "mimir" }
headers = { "X-Scope-OrgID" = "db" }
include = ["pg_*"]
)");
  REQUIRE(config.pushed_output);
  CHECK(config.delivers());
  const config::OutputConfig& output = *config.pushed_output;
  CHECK(output.url == "https://mimir.example/api/v1/push");
  CHECK(output.ca_file == "/ca.crt");
  CHECK(output.proxy == "http://proxy:3128");
  CHECK(output.bearer_token_secret == "mimir");
  CHECK(output.headers == std::vector<std::string>{"X-Scope-OrgID: db"});
  CHECK_FALSE(output.families.takes("sysstat"));
  CHECK(loaded("[output.remote_write]\nurl = \"http://[::1]:9090/api/v1/write\"").pushed_output);
}

TEST_CASE("what Prometheus may scrape") {
  CHECK_FALSE(loaded("").prometheus);
  const auto config = loaded(R"([prometheus]
listen = "[::1]:9187"
stale_after = "2m"
include = ["pg_*"]
exclude = ["pg_statement*", "pg_locks"]
)");
  REQUIRE(config.prometheus);
  CHECK(config.prometheus->listen.host == "::1");
  CHECK(config.prometheus->listen.port == 9187);
  CHECK(config.prometheus->stale_after_ms == 120'000);
  CHECK(config.prometheus->families.takes("pg_tables"));
  CHECK_FALSE(config.prometheus->families.takes("pg_statements"));
  CHECK_FALSE(config.prometheus->families.takes("sysstat"));
}

TEST_CASE("what is wrong is told with file, line, key and what to do") {
  struct Case {
    const char* text;
    const char* message;
    const char* hint;
  };
  const Case cases[] = {
      {"[collector]\nnames = \"x\"", "c.toml:2: collector.names: unknown key", "'name'"},
      {"[colector]\n", "c.toml:1: colector: unknown key", "'collector'"},
      {"[collector]\nname = 5", "c.toml:2: collector.name: expected a string, found an integer", "string"},
      {"[collector]\nname = \"\"", "c.toml:2: collector.name: must have 1 to 200 characters", "name"},
      {"[collector]\nstate_dir = \"here\"", "c.toml:2: collector.state_dir: 'here' is not an absolute path", "slash"},
      {"[collector]\npush_timeout = 30", "c.toml:2: collector.push_timeout: expected a duration", "\"30s\""},
      {"[collector]\nconfig_pull_interval = \"5 minutes\"", "c.toml:2: collector.config_pull_interval: ", "\"5m\""},
      {"[collector]\nconfig_pull_interval = \"1ms\"", "c.toml:2: collector.config_pull_interval: 1ms is out of range",
       "from 1s to 1d"},
      {"[collector]\nlog_level = \"loud\"", "c.toml:2: collector.log_level: 'loud' is not one of its values", "\"debug\""},
      {"[collector]\nlog_format = \"xml\"", "c.toml:2: collector.log_format: 'xml' is not one of its values", "\"json\""},
      {"[collector]\nplugin_dirs = \"/a\"", "c.toml:2: collector.plugin_dirs: expected an array of strings", "array"},
      {"[collector]\noutput = \"\"", "c.toml:2: collector.output: is empty", "\"-\""},
      {"[backend]\nca_file = \"/x\"", "c.toml:1: backend: lacks its key 'url'", "https://"},
      {"[backend]\nurl = \"http://h:1\"", "c.toml:2: backend.url: 'http://h:1' is not encrypted", "https://"},
      {"[backend]\nurl = \"h:1\"", "c.toml:2: backend.url: 'h:1' is not an https URL", "https://"},
      {"[backend]\nurl = \"https://\"", "c.toml:2: backend.url: 'https://' is not an https URL", "https://"},
      {"[backend]\nurl = \"https://u:p@h\"", "c.toml:2: backend.url: ", "https://"},
      {"[backend]\nurl = \"https://h\"\nproxy = \"x\"", "c.toml:3: backend.proxy: 'x' is not the URL", "http://host"},
      {"[backend]\nurl = \"https://h\"\ninsecure = true", "c.toml:3: backend.insecure: unknown key", "ca_file, proxy, url"},
      {"[spool]\nmax_bytes = \"lots\"", "c.toml:2: spool.max_bytes: ", "\"512MiB\""},
      {"[spool]\nmax_bytes = 1", "c.toml:2: spool.max_bytes: 1 is out of range", "at least"},
      {"[spool]\nmax_age = \"1s\"", "c.toml:2: spool.max_age: 1s is out of range", "1m"},
      {"[plugins.sysstat]\nenabled = \"yes\"", "c.toml:2: plugins.sysstat.enabled: expected true or false, found a string",
       "true or false"},
      {"[plugins.sysstat]\ninterval = 10", "c.toml:2: plugins.sysstat.interval: expected a duration", "\"30s\""},
      {"[plugins.sysstat]\ninterval = \"1ms\"", "c.toml:2: plugins.sysstat.interval: 1ms is out of range", "from 100ms"},
      {"[plugins.sysstat]\ninterval = \"5s\"\ntimeout = \"6s\"", "c.toml:3: plugins.sysstat.timeout: is longer than the interval",
       "at most"},
      {"[plugins.sysstat]\npin = 7", "c.toml:2: plugins.sysstat.pin: expected an array of strings", "array"},
      {"[plugins]\nsysstat = true", "c.toml:2: plugins.sysstat: expected a table, found true or false", "[plugins.sysstat]"},
      {"plugins = 3", "c.toml:1: plugins: expected a table, found an integer", "[plugins]"},
      {"[plugins.logs]\n[plugins.pg_logs]", "c.toml:2: plugins.pg_logs: is the plugin 'logs', configured at c.toml:1 already",
       "one of the two"},
      {"[plugins]\n\"sysstat@a\" = true", "c.toml:2: plugins.sysstat@a: expected a table", "[plugins.\"sysstat@a\"]"},
      {"[plugins.\"pg_stats@Prod\"]", "c.toml:1: plugins.pg_stats@Prod: 'Prod' is not an instance's name", "lower-case"},
      {"[plugins.\"pg_stats@\"]", "c.toml:1: plugins.pg_stats@: '' is not an instance's name", "1 to 32"},
      {"[plugins.\"logs@a\"]\n[plugins.\"pg_logs@a\"]",
       "c.toml:2: plugins.pg_logs@a: is the plugin 'logs@a', configured at c.toml:1 already", "one of the two"},
      {"[plugins.pg_stats@prod2]\n", "c.toml:1: not valid TOML", "[plugins.\"pg_stats@prod2\"]"},
      {"[collector\n", "c.toml:1: not valid TOML", "Mend"},
      {"[collector]\nstate_dir = \"\"", "c.toml:2: collector.state_dir: '' is not an absolute path", "slash"},
      {"[collector]\ncontrol_socket = \"\"", "c.toml:2: collector.control_socket: '' is not an absolute path", "slash"},
      {"[backend]\nurl = 7", "c.toml:2: backend.url: expected a string, found an integer", "string"},
      {"[backend]\nurl = \"\"", "c.toml:2: backend.url: '' is not an https URL", "https://"},
      {"[backend]\nurl = \"https:///path\"", "c.toml:2: backend.url: 'https:///path' is not an https URL", "https://"},
      {"[spool]\nmax_bytes = \"1000B\"", "c.toml:2: spool.max_bytes: 1000B is out of range", "at least 1MiB"},
      {"[spool]\nmax_bytes = \"3KiB\"", "c.toml:2: spool.max_bytes: 3KiB is out of range", "at least 1MiB"},
      {"[spool]\nmax_age = \"20d\"", "c.toml:2: spool.max_age: 20d is out of range", "to 14d"},
      {"[prometheus]\n", "c.toml:1: prometheus: lacks its key 'listen'", "127.0.0.1:9187"},
      {"[prometheus]\nlisten = 9187", "c.toml:2: prometheus.listen: expected a string, found an integer", "string"},
      {"[prometheus]\nlisten = \"db1:9187\"", "c.toml:2: prometheus.listen: 'db1:9187' is no address to listen on", "127.0.0.1"},
      {"[prometheus]\nlisten = \"127.0.0.1:1\"\nstale_after = \"1ms\"", "c.toml:3: prometheus.stale_after: 1ms is out of range",
       "from 1s"},
      {"[prometheus]\nlisten = \"127.0.0.1:1\"\ninclude = \"*\"", "c.toml:3: prometheus.include: expected an array", "array"},
      {"[output.remote_write]\n", "c.toml:1: output.remote_write.url: is missing", "http://127.0.0.1"},
      {"[output.remote_write]\nurl = \"http://vm:8428/w\"",
       "c.toml:2: output.remote_write.url: 'http://vm:8428/w' is not encrypted", "https://"},
      {"[output.remote_write]\nurl = \"https://vm/w\"", "c.toml:1: output.remote_write.ca_file: is needed for https",
       "ca-certificates.crt"},
      {"[output.remote_write]\nurl = \"http://u@127.0.0.1/w\"", "c.toml:2: output.remote_write.url: ", "https://"},
      {"[output.remote_write]\nurl = \"127.0.0.1:1\"", "c.toml:2: output.remote_write.url: '127.0.0.1:1' is not an URL",
       "https://"},
      {"[output.remote_write]\nurl = \"http://127.0.0.1/w\"\nbearer_token = \"secret\"",
       "c.toml:3: output.remote_write.bearer_token: is not the name of a secret", "$secret"},
      {"[output.remote_write]\nurl = \"http://127.0.0.1/w\"\nheaders = { \"A b\" = \"x\" }",
       "c.toml:3: output.remote_write.headers: 'A b' is no header", "X-Scope-OrgID"},
      {"[output.remote_write]\nurl = \"http://127.0.0.1/w\"\nheaders = { A = \"x\\r\\nB: y\" }",
       "c.toml:3: output.remote_write.headers: 'A' is no header", "X-Scope-OrgID"},
      {"[output.remote_write]\nurl = \"http://127.0.0.1/w\"\nheaders = { Authorization = \"x\" }",
       "c.toml:3: output.remote_write.headers: Authorization would be a secret", "bearer_token"},
      {"[output.otl]\n", "c.toml:1: output.otl: unknown key", "otlp"},
      {"[backend]\nurl = \"https://h:1\"\n[output.remote_write]\nurl = \"http://127.0.0.1/w\"",
       "c.toml:3: output: cannot be had beside [backend]", "[prometheus]"},
      {"[output.otlp]\nurl = \"http://127.0.0.1\"\n[output.remote_write]\nurl = \"http://127.0.0.1/w\"",
       "c.toml:1: output: cannot be had beside [backend] or another output", "[prometheus]"},
      {"spool = 1.5", "c.toml:1: spool: expected a table, found a number", "[spool]"},
  };
  for (const Case& wrong : cases) {
    INFO(wrong.text);
    const auto config = config::load_text(wrong.text, "c.toml");
    REQUIRE_FALSE(config);
    CHECK(config.error().status == PGA_E_CONFIG);
    CHECK_THAT(config.error().message, Catch::StartsWith(wrong.message));
    CHECK_THAT(config.error().hint, Catch::Contains(wrong.hint));
  }
}

TEST_CASE("what a plugin may do is the operator's, and not among the plugin's keys") {
  const auto config = loaded(R"([plugins.logs]
isolation = "process"
sandbox = false
allow_exec = true
user = "pga-logs"
groups = ["adm"]
capabilities = ["CAP_DAC_READ_SEARCH"]
memory_max = "64MiB"
cpu_max = "150%"
paths = ["/var/log/x.log"]
[plugins.disk]
cpu_max = "off"
[plugins.sysstat]
isolation = "thread"
[plugins.pg_stats]
cpu_max = 0
)");
  CHECK(config.plugins.at("pg_stats").confinement.cpu_max_percent == 0);
  const config::PluginConfig& logs = config.plugins.at("logs");
  CHECK_FALSE(logs.confinement.in_thread);
  CHECK_FALSE(logs.confinement.sandbox);
  CHECK(logs.confinement.allow_exec);
  CHECK(logs.confinement.user == "pga-logs");
  CHECK(logs.confinement.groups == std::vector<std::string>{"adm"});
  CHECK(logs.confinement.capabilities == std::vector<std::string>{"CAP_DAC_READ_SEARCH"});
  CHECK(logs.confinement.memory_max_bytes == 64 << 20);
  CHECK(logs.confinement.cpu_max_percent == 150);
  CHECK(std::get<config::Node::Table>(logs.keys.value).size() == 1);
  const config::ConfinementConfig& disk = config.plugins.at("disk").confinement;
  CHECK(disk.cpu_max_percent == 0);
  CHECK(disk.sandbox);
  CHECK_FALSE(disk.allow_exec);
  CHECK(disk.memory_max_bytes == 256 << 20);
  CHECK(config.plugins.at("sysstat").confinement.in_thread);
  CHECK(config.plugins.at("sysstat").confinement.cpu_max_percent == 80);
}

TEST_CASE("rights that cannot be had are told with their line") {
  for (const auto& [line, wrong] : std::vector<std::pair<std::string, std::string>>{
           {"isolation = \"container\"", "plugins.disk.isolation"},
           {"cpu_max = 80", "plugins.disk.cpu_max: is not a share of a processor core"},
           {"cpu_max = \"-5%\"", "plugins.disk.cpu_max"},
           {"cpu_max = \"80%%\"", "plugins.disk.cpu_max"},
           {"cpu_max = \"80\"", "plugins.disk.cpu_max"},
           {"cpu_max = \"0%\"", "plugins.disk.cpu_max"},
           {"cpu_max = \"10001%\"", "plugins.disk.cpu_max"},
           {"cpu_max = \"99999999999999999999%\"", "plugins.disk.cpu_max"},
           {"cpu_max = true", "plugins.disk.cpu_max"},
           {"memory_max = \"1MiB\"", "plugins.disk.memory_max"},
           {"isolation = \"thread\"\nuser = \"x\"", "plugins.disk.isolation: \"thread\" cannot have user"},
           {"isolation = \"thread\"\ngroups = [\"adm\"]", "plugins.disk.isolation: \"thread\" cannot have user"},
           {"isolation = \"thread\"\ncapabilities = [\"CAP_KILL\"]", "plugins.disk.isolation: \"thread\" cannot have user"}}) {
    const auto config = config::load_text("[plugins.disk]\n" + line, "c.toml");
    INFO(line);
    REQUIRE_FALSE(config);
    CHECK_THAT(config.error().message, Catch::Contains("c.toml:2: " + wrong));
  }
}

TEST_CASE("a plugin may be called by its aliases") {
  CHECK(loaded("[plugins.pg_logs]").plugins.count("logs") == 1);
  CHECK(loaded("[plugins.pg_log]").plugins.count("logs") == 1);
  CHECK(loaded("[plugins.disk_usage]").plugins.count("disk") == 1);
}

TEST_CASE("one plugin may have several tables, each an instance of its own") {
  const auto config = loaded(
      "[plugins.pg_stats]\ninterval = \"30s\"\n[plugins.\"pg_stats@prod2\"]\ninterval = \"5s\"\nmemory_max = \"64MiB\"\n"
      "conninfo = \"host=b\"\n[plugins.\"pg_logs@prod2\"]\nenabled = false\n");
  REQUIRE(config.plugins.size() == 3);
  CHECK(config.plugins.at("pg_stats").interval_ms == 30'000);
  CHECK(config.plugins.at("pg_stats").keys.find("conninfo") == nullptr);
  const auto& second = config.plugins.at("pg_stats@prod2");
  CHECK(second.id == "pg_stats@prod2");
  CHECK(second.interval_ms == 5'000);
  CHECK(second.confinement.memory_max_bytes == 64 << 20);
  CHECK_FALSE(config.plugins.at("logs@prod2").enabled);  // aliases count before the @
}

TEST_CASE("drop-ins come over the file in the order of their names, the environment over both") {
  const Folder folder;
  folder.write(
      "c.toml",
      "[collector]\nname = \"file\"\nstate_dir = \"/file\"\nlog_level = \"warn\"\n[plugins.pg_logs]\ninterval = \"9s\"\n");
  folder.write("conf.d/20.toml", "[collector]\nname = \"twenty\"\n[plugins.logs]\nenabled = false\n");
  folder.write("conf.d/10.toml", "[collector]\nname = \"ten\"\nstate_dir = \"/ten\"\n");
  folder.write("conf.d/30.toml.disabled", "nonsense");
  const auto config = config::load(folder.file("c.toml"), {{"PGANALYTICS_LOG_LEVEL", "error"}, {"PGANALYTICS_NAME", ""}});
  REQUIRE(config);
  CHECK(config->name == "twenty");
  CHECK(config->state_dir == "/ten");
  CHECK(config->log_level == log::Level::kError);
  CHECK_FALSE(config->plugins.at("logs").enabled);
  CHECK(config->plugins.at("logs").interval_ms == 9'000);
  CHECK(config->files.size() == 3);

  folder.write("conf.d/20.toml", "\n[collector]\nnmae = 1\n");
  const auto wrong = config::load(folder.file("c.toml"), {});
  REQUIRE_FALSE(wrong);
  CHECK_THAT(wrong.error().message, Catch::Contains("conf.d/20.toml:3: collector.nmae: unknown key"));
}

TEST_CASE("a drop-in may bring an instance, or change one, whichever alias it uses") {
  const Folder folder;
  folder.write("c.toml", "[plugins.\"logs@a\"]\ninterval = \"5s\"\n");
  folder.write("conf.d/10.toml", "[plugins.\"pg_logs@a\"]\ninterval = \"7s\"\n[plugins.\"logs@b\"]\n");
  const auto config = config::load(folder.file("c.toml"), {});
  REQUIRE(config);
  CHECK(config->plugins.size() == 2);
  CHECK(config->plugins.at("logs@a").interval_ms == 7'000);
}

TEST_CASE("a wrong value of the environment names its variable") {
  const auto config = config::load_text("", "c.toml", {{"PGANALYTICS_BACKEND_URL", "http://h"}});
  REQUIRE_FALSE(config);
  CHECK_THAT(config.error().message, Catch::StartsWith("environment variable PGANALYTICS_BACKEND_URL: backend.url: "));
}

TEST_CASE("a file that is not there is an error unless nobody asked for it") {
  const auto missing = config::load("/nonexistent/c.toml", {});
  REQUIRE_FALSE(missing);
  CHECK(missing.error().status == PGA_E_NOTFOUND);
  CHECK_THAT(missing.error().message, Catch::Contains("/nonexistent/c.toml"));
  CHECK(config::load("/nonexistent/c.toml", {}, true));
}

TEST_CASE("a file or drop-in that cannot be read or is no TOML is told by its name, also where it may be absent") {
  const Folder folder;
  std::string broken = folder.file("c.toml");
  SECTION("the file is a folder") { std::filesystem::create_directory(broken); }
  SECTION("the file is no TOML") { folder.write("c.toml", "[collector\n"); }
  SECTION("a drop-in is a folder") { std::filesystem::create_directory(broken = folder.file("conf.d/10.toml")); }
  SECTION("a drop-in is no TOML") {
    folder.write("conf.d/10.toml", "\n=\n");
    broken = folder.file("conf.d/10.toml") + ":2";
  }
  SECTION("a drop-in names a plugin twice") {
    folder.write("conf.d/10.toml", "[plugins.disk]\n[plugins.disk_usage]\n");
    broken = folder.file("conf.d/10.toml") + ":2: plugins.disk_usage: is the plugin 'disk'";
  }
  const auto config = config::load(folder.file("c.toml"), {}, true);
  REQUIRE_FALSE(config);
  CHECK_THAT(config.error().message, Catch::Contains(broken));
}

TEST_CASE("the program's own environment is what counts") {
  REQUIRE(::setenv("PGANALYTICS_NAME", "of=the environment", 1) == 0);
  const config::Environment environment = config::process_environment();
  ::unsetenv("PGANALYTICS_NAME");
  CHECK(loaded("[collector]\nname = \"file\"", environment).name == "of=the environment");
  CHECK(loaded("[collector]\nname = \"file\"", config::process_environment()).name == "file");
}

TEST_CASE("the control socket lies in the state folder unless it is moved, and must fit into a socket's path") {
  CHECK(loaded("[collector]\nstate_dir = \"/s\"\n").control_socket == "/s/control.sock");
  CHECK(loaded("[collector]\ncontrol_socket = \"/run/p.sock\"\n").control_socket == "/run/p.sock");
  const auto relative = config::load_text("[collector]\ncontrol_socket = \"p.sock\"\n", "f");
  REQUIRE_FALSE(relative);
  CHECK_THAT(relative.error().message, Catch::Contains("f:2: collector.control_socket"));
  const auto deep = config::load_text("[collector]\nstate_dir = \"/" + std::string(100, 'x') + "\"\n", "f");
  REQUIRE_FALSE(deep);
  CHECK_THAT(deep.error().message, Catch::Contains("f:2: collector.state_dir") && Catch::Contains("107"));
  CHECK_THAT(deep.error().message + deep.error().hint, Catch::Contains("control_socket"));
}

TEST_CASE("what the server sets too has a place in the file, and can be pinned there") {
  const auto config = config::load_text(
      "[collector]\nconfig_probation = \"30s\"\nbackup_interval = \"0s\"\ncompression = \"gzip\"\n"
      "pin = [\"compression\"]\n",
      "c.toml");
  REQUIRE(config);
  CHECK(config->config_probation_ms == 30'000);
  CHECK(config->backup_interval_ms == 0);
  CHECK(config->compression == compression::Encoding::kGzip);
  CHECK(config->pinned_keys == std::set<std::string>{"compression"});
  const auto refusal = [](const std::string& line) {
    const auto wrong = config::load_text("[collector]\n" + line + "\n", "c.toml");
    REQUIRE_FALSE(wrong);
    return wrong.error().message;
  };
  CHECK_THAT(refusal("backup_interval = \"5s\""), Catch::Contains("c.toml:2: collector.backup_interval: is out of range"));
  CHECK_THAT(refusal("backup_interval = \"31d\""), Catch::Contains("collector.backup_interval: 31d is out of range"));
  CHECK_THAT(refusal("config_probation = \"0s\""), Catch::Contains("collector.config_probation"));
  CHECK_THAT(refusal("compression = \"lz4\""), Catch::Contains("collector.compression"));
  CHECK_THAT(refusal("pin = [\"name\"]"), Catch::Contains("collector.pin: 'name' is not a key"));
}
