// Little programs for `exec` to run, written into a folder of the test's own, and the plugin on the fake host.
#pragma once

#include <chrono>
#include <string>

#include "tests/plugins/alone.h"
#include "tests/support/temporary_folder.h"

namespace pganalytics::testing {

// A folder of programs, and the configuration that runs them.
class Scripts {
 public:
  // A shell script of this text, and its entry in the configuration; `more`: other members, beginning with a comma.
  Scripts& add(const std::string& name, const std::string& text, const std::string& more = "");
  Scripts& add_argv(const std::string& name, const std::string& argv_json, const std::string& more = "");
  [[nodiscard]] std::string config() const { return R"({"commands":[)" + commands_ + "]}"; }
  [[nodiscard]] std::string path(const std::string& file) const { return folder_ / file; }
  [[nodiscard]] std::string content(const std::string& file) const;  // "" if there is none

 private:
  TemporaryFolder folder_;
  std::string commands_;
};

struct ExecRun {
  rapidjson::Document document;
  std::chrono::milliseconds took;

  [[nodiscard]] const rapidjson::Value& command(const std::string& name) const;
  // The codes of the errors that name this command, with a blank between them.
  [[nodiscard]] std::string errors(const std::string& name) const;
  [[nodiscard]] std::string message(const std::string& name) const;  // of its first error
  // Of an entry's "value", or "total".
  [[nodiscard]] double number(const std::string& command, const std::string& name, const char* key = "value") const;
};

// One run with this configuration on a new host.
ExecRun exec_run(const Scripts& scripts, std::chrono::milliseconds timeout = std::chrono::seconds(30));
ExecRun exec_run(Instance& instance, std::chrono::milliseconds timeout = std::chrono::seconds(30));

}  // namespace pganalytics::testing
