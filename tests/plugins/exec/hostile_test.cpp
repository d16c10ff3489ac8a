// `exec` with commands that hang, flood, lie and leave things behind: a run is over in time, its document valid and bounded.
#include <signal.h>
#include <sys/wait.h>

#include <thread>

#include "tests/plugins/exec/scripts.h"
#include "tests/support/eventually.h"

namespace {

using namespace pganalytics;
using namespace pganalytics::testing;
using std::chrono::milliseconds;
using std::chrono::seconds;

const std::string kShort = R"(,"timeout":"300ms")";

// The process whose number a script wrote into `file` is there, and no zombie.
bool is_alive(const Scripts& scripts, const std::string& file) {
  const std::string number = scripts.content(file);
  return !number.empty() && ::kill(std::stoi(number), 0) == 0;
}

TEST_CASE("endless output is cut off at its bound and the command ended") {
  const char* const flood = GENERATE("exec yes '{\"a\":1}'", "exec cat /dev/zero", "exec yes >&2");
  Scripts scripts;
  scripts.add("flood", flood).add("neighbour", "echo '{\"b\":1}'");
  const ExecRun run = exec_run(scripts);
  CHECK(run.took < seconds(10));
  CHECK(run.errors("flood").find("exec.output") == 0);
  CHECK(run.command("flood")["status"] == "failed");
  CHECK(run.command("flood")["output_bytes"].GetUint() <= 256u << 10);
  CHECK(run.number("neighbour", "b") == 1);
}

TEST_CASE("a command that ignores SIGTERM gets SIGKILL, and one that minds it may tidy up") {
  Scripts scripts;
  scripts.add("deaf", "trap '' TERM; echo $$ > " + scripts.path("pid") + "; echo '{\"a\":1}'; while :; do sleep 1; done", kShort);
  scripts.add("polite", "trap 'echo \"{\\\"tidied\\\":1}\"; exit 0' TERM; sleep 60 & wait", kShort);
  const ExecRun run = exec_run(scripts);
  CHECK(run.took >= milliseconds(1300));
  CHECK(run.took < seconds(10));
  CHECK(run.errors("deaf") == "exec.timeout");
  CHECK(run.command("deaf")["signal"] == SIGKILL);
  CHECK(run.number("deaf", "a") == 1);
  CHECK_FALSE(is_alive(scripts, "pid"));
  CHECK(run.errors("polite") == "exec.timeout");
  CHECK(run.number("polite", "tidied") == 1);
}

TEST_CASE("a background child that holds standard output open holds nobody up and is ended") {
  Scripts scripts;
  scripts.add("parent", "sleep 600 & echo $! > " + scripts.path("pid") + "; echo '{\"a\":1}'");
  const ExecRun run = exec_run(scripts);
  CHECK(run.took < seconds(10));
  CHECK(run.command("parent")["status"] == "ok");
  CHECK(run.number("parent", "a") == 1);
  CHECK(eventually([&] { return !is_alive(scripts, "pid"); }));
}

TEST_CASE("a child that leaves the process group with standard output holds nobody up either") {
  Scripts scripts;
  scripts.add("parent", "setsid sh -c 'echo $$ > " + scripts.path("pid") + "; exec sleep 30' & echo '{\"a\":1}'; while [ ! -s " +
                            scripts.path("pid") + " ]; do sleep 0.01; done");
  const ExecRun run = exec_run(scripts);
  CHECK(run.took < seconds(10));
  CHECK(run.number("parent", "a") == 1);
  ::kill(std::stoi(scripts.content("pid")), SIGKILL);
}

TEST_CASE("output without a newline, of one huge line, of invalid bytes") {
  Scripts scripts;
  scripts.add("no_newline", "printf '{\"a\":1}'");
  scripts.add("huge", "printf '{\"a\":\"'; head -c 1048576 /dev/zero | tr '\\0' x; printf '\"}\\n'");
  scripts.add("long_line", "printf '{\"a\":\"'; head -c 100000 /dev/zero | tr '\\0' x; printf '\"}\\n{\"after\":1}\\n'");
  scripts.add("bytes", "printf '{\"\\377\\376\":1}\\n{\"ok\":1}\\n'; printf '\\377\\033[31mred' >&2; exit 1");
  scripts.add("silent", "true");
  const ExecRun run = exec_run(scripts);
  CHECK(run.number("no_newline", "a") == 1);
  CHECK(run.errors("huge").find("exec.output") == 0);
  CHECK(run.errors("long_line") == "exec.line");
  CHECK(run.number("long_line", "after") == 1);
  CHECK(run.errors("bytes") == "exec.exit exec.line");
  CHECK(run.message("bytes") == "it exited with status 1: \xEF\xBF\xBD?[31mred");
  CHECK(run.number("bytes", "ok") == 1);
  CHECK(run.command("silent")["status"] == "ok");
}

TEST_CASE("the run is back before its deadline whatever the timeouts say") {
  Scripts scripts;
  for (const char* const name : {"a", "b", "c", "d", "e"})
    scripts.add(name, "trap '' TERM; while :; do sleep 1; done", R"(,"timeout":"1h")");
  const milliseconds deadline = GENERATE(milliseconds(400), milliseconds(3000));
  const ExecRun run = exec_run(scripts, deadline);
  CHECK(run.took < deadline);
  CHECK(run.errors("a") == "exec.timeout");
  CHECK(run.errors("e") == "exec.no_time");
  CHECK(run.command("e")["duration_ms"].IsNull());
}

TEST_CASE("a cancelled run kills what runs, at once") {
  Scripts scripts;
  scripts.add("hangs", "trap '' TERM; echo $$ > " + scripts.path("pid") + "; while :; do sleep 1; done");
  FakeHost host;
  Instance instance = host.create(pga_plugin_v1(PGA_ABI_MINOR));
  REQUIRE(instance.configure(with_defaults(scripts.config())));
  std::thread other([&] {
    (void)eventually([&] { return is_alive(scripts, "pid"); });
    instance.cancel();
  });
  const auto result = instance.collect();
  other.join();
  CHECK(result.status == PGA_E_DEADLINE);
  CHECK(result.documents.empty());
  CHECK_FALSE(is_alive(scripts, "pid"));
  CHECK(::waitpid(-1, nullptr, WNOHANG) == -1);
}

TEST_CASE("a document is never larger than the host takes") {
  Scripts scripts;
  for (int i = 0; i < 12; ++i) {
    scripts.add("c" + std::to_string(i),
                "i=0; while [ $i -lt 600 ]; do i=$((i+1)); printf '{\"k\":\"%0190d\",\"n%0190d\":1}\\n' $i $i; done");
  }
  const ExecRun run = exec_run(scripts);
  CHECK(run.document["entries"].Size() > 1000);
  CHECK(run.errors("c11").find("exec.limit") != std::string::npos);
}

}  // namespace
