// `exec` with commands that mean well.
#include <signal.h>
#include <sys/wait.h>

#include <fstream>
#include <thread>

#include "tests/plugins/exec/scripts.h"

namespace {

using namespace pganalytics;
using namespace pganalytics::testing;
using std::chrono::milliseconds;

TEST_CASE("JSON lines become entries under the command's name") {
  Scripts scripts;
  scripts.add("queue",
              R"(echo '{"queue":"mail","length":12,"size_bytes":4096}'; echo '{"queue":"news","length":0,"seen_total":7}')");
  const ExecRun run = exec_run(scripts);
  const auto& command = run.command("queue");
  CHECK(command["status"] == "ok");
  CHECK(command["status_code"] == 0);
  CHECK(command["exit_code"] == 0);
  CHECK(command["signal"].IsNull());
  CHECK(command["duration_ms"].GetDouble() > 0);
  CHECK(command["text"].IsNull());
  CHECK(run.document["entries"].Size() == 4);
  CHECK(run.document["entries"][0]["labels"] == "queue=mail");
  CHECK(run.number("queue", "size_bytes") == 4096);
  CHECK(run.number("queue", "seen_total", "total") == 7);
  CHECK(run.document["errors"].Empty());
}

TEST_CASE("a Nagios check's exit status is its state, its performance data are entries") {
  const auto [code, status] = GENERATE(table<int, const char*>({{0, "ok"}, {1, "warning"}, {2, "critical"}, {3, "unknown"}}));
  Scripts scripts;
  scripts.add("load", "echo 'LOAD - 0.12|load1=0.120;5.000;10.000;0;'; echo 'not for you' >&2; exit " + std::to_string(code),
              R"(,"format":"nagios")");
  const ExecRun run = exec_run(scripts);
  const auto& command = run.command("load");
  CHECK(command["status"] == status);
  CHECK(command["status_code"] == code);
  CHECK(command["text"] == "LOAD - 0.12");
  CHECK(run.number("load", "load1") == 0.12);
  CHECK(run.document["entries"][0]["warning"] == "5.000");
  CHECK(run.document["errors"].Empty());
}

TEST_CASE("any other exit status is told with the last line of standard error, and what was printed counts") {
  const auto [format, code] = GENERATE(table<const char*, int>({{"json", 1}, {"json", 137}, {"nagios", 4}, {"nagios", 255}}));
  Scripts scripts;
  scripts.add("bad", "echo '{\"a\":1}'; echo first >&2; printf 'no such queue\\n\\n' >&2; exit " + std::to_string(code),
              std::string(R"(,"format":")") + format + "\"");
  const ExecRun run = exec_run(scripts);
  CHECK(run.command("bad")["status"] == "failed");
  CHECK(run.command("bad")["status_code"].IsNull());
  CHECK(run.command("bad")["exit_code"] == code);
  CHECK(run.message("bad") == "it exited with status " + std::to_string(code) + ": no such queue");
  CHECK(run.document["entries"].Size() == (std::string(format) == "json" ? 1 : 0));
}

TEST_CASE("a signal that ends a command is told by its name") {
  Scripts scripts;
  scripts.add("dies", "kill -SEGV $$");
  const ExecRun run = exec_run(scripts);
  CHECK(run.command("dies")["status"] == "failed");
  CHECK(run.command("dies")["signal"] == SIGSEGV);
  CHECK(run.command("dies")["exit_code"].IsNull());
  CHECK(run.errors("dies") == "exec.signal");
  CHECK(run.message("dies").find("SIGSEGV") != std::string::npos);
}

TEST_CASE("a program that cannot be run is told, and the others run") {
  Scripts scripts;
  scripts.add_argv("none", R"(["/nonexistent/program"])").add("there", "echo '{\"a\":1}'");
  std::ofstream(scripts.path("plain")) << "no program";
  scripts.add_argv("plain", "[\"" + scripts.path("plain") + "\"]");
  scripts.add("lost", "true", R"(,"cwd":"/nonexistent")");
  const ExecRun run = exec_run(scripts);
  CHECK(run.errors("none") == "exec.start");
  CHECK(run.command("none")["duration_ms"].IsNull());
  CHECK(run.message("none").find("/nonexistent/program") != std::string::npos);
  CHECK(run.errors("plain") == "exec.start");
  CHECK(run.message("plain").find("read_paths") != std::string::npos);
  CHECK(run.errors("lost") == "exec.start");
  CHECK(run.command("there")["status"] == "ok");
}

TEST_CASE("arguments reach the program as they are: no shell looks at them") {
  Scripts scripts;
  scripts.add_argv("echo", R"(["/usr/bin/printf","{\"%s\":1}","$HOME;id *"])");
  const ExecRun run = exec_run(scripts);
  CHECK(run.document["entries"][0]["name"] == "$HOME;id *");
}

TEST_CASE("the environment is clean, standard input is empty, and no descriptor of ours is there") {
  Scripts scripts;
  ::setenv("PGA_TEST_LEAK", "1", 1);
  scripts.add("look",
              "env | sort | cut -d= -f1 | tr '\\n' ' ' > " + scripts.path("env") + "\nls -1 /proc/self/fd | tr '\\n' ' ' > " +
                  scripts.path("fds") + "\ncat > " + scripts.path("stdin") + "\npwd > " + scripts.path("pwd"),
              R"(,"cwd":"/usr","env":{"MINE":"x y","HOME":"/srv","PASSWORD":{"$secret":"pw"}})");
  scripts.add("secret", "printf '%s' \"$PASSWORD\" > " + scripts.path("secret_seen"), R"(,"env":{"PASSWORD":{"$secret":"pw"}})");
  FakeHost host;
  host.secrets["pw"] = "hunter2";
  Instance instance = host.create(pga_plugin_v1(PGA_ABI_MINOR));
  REQUIRE(instance.configure(with_defaults(scripts.config())));
  const ExecRun run = exec_run(instance);
  CHECK(run.command("look")["status"] == "ok");
  CHECK(scripts.content("env") == "HOME LC_ALL MINE PASSWORD PATH PWD ");  // PWD is the shell's own doing
  CHECK(scripts.content("fds") == "0 1 2 3 ");                             // 3 is the folder that ls reads
  CHECK(scripts.content("stdin").empty());
  CHECK(scripts.content("pwd") == "/usr\n");
  CHECK(scripts.content("secret_seen") == "hunter2");

  host.secrets.clear();
  CHECK(exec_run(instance).errors("secret") == "exec.secret");
}

TEST_CASE("commands run side by side, four at a time, and are told in the order of the configuration") {
  Scripts scripts;
  for (const char* const name : {"a", "b", "c", "d", "e", "f"}) scripts.add(name, "sleep 0.4; echo '{\"n\":1}'");
  const ExecRun run = exec_run(scripts);
  CHECK(run.took >= milliseconds(800));
  CHECK(run.took < milliseconds(6 * 400));
  CHECK(run.document["entries"].Size() == 6);
  CHECK(run.document["commands"][0]["command"] == "a");
  CHECK(run.document["commands"][5]["command"] == "f");
}

TEST_CASE("nothing is left after many runs: no process, no descriptor") {
  Scripts scripts;
  scripts.add("one", "echo '{\"a\":1}'; sleep 60 &").add_argv("none", R"(["/nonexistent"])");
  FakeHost host;
  Instance instance = host.create(pga_plugin_v1(PGA_ABI_MINOR));
  REQUIRE(instance.configure(with_defaults(scripts.config())));
  const auto descriptors = [] {
    return std::distance(std::filesystem::directory_iterator("/proc/self/fd"), std::filesystem::directory_iterator());
  };
  (void)exec_run(instance);
  const auto before = descriptors();
  for (int i = 0; i < 20; ++i) (void)exec_run(instance);
  CHECK(descriptors() == before);
  CHECK(::waitpid(-1, nullptr, WNOHANG) == -1);  // no child, not even a zombie
}

TEST_CASE("the last run of all has nothing to say; a refused configuration leaves the one before in force") {
  Scripts scripts;
  scripts.add("a", "echo '{\"a\":1}'");
  FakeHost host;
  Instance instance = host.create(pga_plugin_v1(PGA_ABI_MINOR));
  REQUIRE(instance.configure(with_defaults(scripts.config())));
  CHECK_FALSE(instance.configure(R"({"commands":[{"name":"b","argv":["relative"]}]})"));
  CHECK(exec_run(instance).command("a")["status"] == "ok");
  CollectOptions final_run;
  final_run.reason = PGA_REASON_FINAL;
  const auto result = instance.collect(final_run);
  CHECK(result.status == PGA_OK);
  CHECK(result.documents.empty());
}

}  // namespace
