// The configuration of `exec`, as values.
#pragma once

#include <chrono>
#include <pganalytics/expected.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace pganalytics::exec {

enum class Format { kJson, kNagios };

struct Variable {
  std::string name;
  std::string value;  // of the environment, or the secret's name
  bool is_secret = false;
};

struct Command {
  std::string name;
  std::vector<std::string> argv;  // [0] is an absolute path
  Format format = Format::kJson;
  std::chrono::milliseconds timeout{10'000};
  std::vector<Variable> env;
  std::string cwd = "/";
};

// PGA_E_CONFIG names the key. Looks at nothing but the text: a program may be installed later.
Expected<std::vector<Command>> parse_settings(std::string_view config_json);

}  // namespace pganalytics::exec
