// `exec` in a real worker of the real program: nothing runs unless the operator allows it, and what runs is in the sandbox.
#include <rapidjson/document.h>
#include <sys/stat.h>

#include <fstream>

#include "tests/core/collector/program.h"
#include "tests/support/catch.h"
#include "tests/support/temporary_folder.h"

namespace {

using pganalytics::collector_test::Ended;
using pganalytics::collector_test::run_program;
using pganalytics::collector_test::write_text;
using pganalytics::testing::TemporaryFolder;

class Machine {
 public:
  std::string script(const std::string& name, const std::string& text) {
    write_text(folder_ / name, "#!/bin/sh\n" + text);
    ::chmod((folder_ / name).c_str(), 0755);
    return folder_ / name;
  }
  Ended once(const std::string& table) {
    write_text(folder_ / "pganalytics.toml",
               "[collector]\nstate_dir = \"" + folder_ / "state" + "\"\n[plugins.exec]\ntimeout = \"20s\"\n" + table);
    return run_program({"once", "--plugin", "exec", "--config", folder_ / "pganalytics.toml"});
  }
  [[nodiscard]] std::string operator/(const std::string& name) const { return folder_ / name; }

 private:
  TemporaryFolder folder_;
};

rapidjson::Document document_of(const Ended& ended) {
  INFO(ended.err);
  REQUIRE(ended.exit_code == 0);
  rapidjson::Document document;
  document.Parse(ended.out);
  REQUIRE_FALSE(document.HasParseError());
  return document;
}

TEST_CASE("without allow_exec nothing runs, and the message says what to do") {
  Machine machine;
  const std::string program = machine.script("touch", "touch " + machine / "ran");
  const Ended ended =
      machine.once("read_paths = [\"" + program + "\"]\ncommands = [{name = \"a\", argv = [\"" + program + "\"]}]\n");
  CHECK(ended.exit_code != 0);
  CHECK(ended.out.empty());
  CHECK(ended.err.find("allow_exec") != std::string::npos);
  CHECK_FALSE(std::ifstream(machine / "ran"));
}

TEST_CASE("allowed, a system program and a script of the operator's run in the worker") {
  Machine machine;
  const std::string program = machine.script("queue", "echo '{\"queue\":\"mail\",\"length\":3}'");
  const auto document = document_of(machine.once(
      "allow_exec = true\nread_paths = [\"" + program + "\"]\ncommands = [{name = \"queue\", argv = [\"" + program +
      "\"]}, {name = \"printf\", format = \"nagios\", argv = [\"/usr/bin/printf\", \"OK|a=1s\"], env = {A = \"b\"}}]\n"));
  REQUIRE(document["entries"].Size() == 2);
  CHECK(document["entries"][0]["labels"] == "queue=mail");
  CHECK(document["entries"][0]["value"] == 3);
  CHECK(document["entries"][1]["unit"] == "s");
  CHECK(document["errors"].Empty());
}

TEST_CASE("a command is in the plugin's sandbox: it neither writes nor reads what nobody named") {
  Machine machine;
  const TemporaryFolder elsewhere;  // a file that read_paths names opens its folder too
  write_text(elsewhere / "private", "secret\n");
  const std::string program =
      machine.script("curious", "cat " + elsewhere / "private" + " >/dev/null 2>&1 && echo '{\"read\":1}'\n(echo x > " +
                                    machine / "made" + ") 2>/dev/null && echo '{\"wrote\":1}'\necho '{\"done\":1}'");
  const auto document = document_of(machine.once("allow_exec = true\nread_paths = [\"" + program +
                                                 "\"]\ncommands = [{name = \"c\", argv = [\"" + program + "\"]}]\n"));
  REQUIRE(document["entries"].Size() == 1);
  CHECK(document["entries"][0]["name"] == "done");
  CHECK_FALSE(std::ifstream(machine / "made"));
}

}  // namespace
