// What all commands share: --config, --plugin-dir, --help, and how an error is shown.
//
// Boost.Program_options stays behind this: its exceptions become exit code 2. [main thread]
#pragma once

#include "core/collector/exit_code.h"
#include "core/config/collector_config.h"

#include <boost/program_options.hpp>

#include <optional>
#include <pganalytics/expected.hpp>
#include <pganalytics/json.hpp>
#include <string>
#include <vector>

namespace pganalytics::collector {

// "pganalytics: <message>" and its HINT, on stderr.
void print_error(const Error& error);

// The whole of it on stdout, as a line.
void print_json(const JsonWriter& json);

constexpr unsigned kHelpWidth = 110;

class CommandLine {
 public:
  // usage: what follows "pganalytics " in the help's first line; about: what the command does, a sentence.
  CommandLine(std::string usage, std::string about);

  // For the command's own options, before parse().
  boost::program_options::options_description_easy_init add() { return own_.add_options(); }
  // Words without dashes become values of this option, at most `count` of them.
  void positional(const char* option, int count) { positional_.add(option, count); }

  // nullopt: go on. Otherwise the exit code: help was printed, or what is wrong.
  std::optional<int> parse(const std::vector<std::string>& arguments);

  [[nodiscard]] bool has(const std::string& option) const { return values_.count(option) != 0; }
  [[nodiscard]] std::string text(const std::string& option) const { return has(option) ? values_[option].as<std::string>() : ""; }
  [[nodiscard]] std::vector<std::string> texts(const std::string& option) const;
  int usage_error(const std::string& what) const;  // prints it, returns kUsage

  // The configuration that --config and --plugin-dir name, and the log level it sets. Without --config a missing default file is
  // an empty one, unless `must_exist`.
  Expected<config::CollectorConfig> load_config(bool must_exist = false) const;
  // The one that --config names, an empty one without it: never the default file.
  Expected<config::CollectorConfig> load_named_config() const;
  [[nodiscard]] std::string config_file() const;

 private:
  Expected<config::CollectorConfig> completed(Expected<config::CollectorConfig> loaded) const;

  std::string usage_, about_;
  boost::program_options::options_description own_{"Options", kHelpWidth}, shared_{"Options of every command", kHelpWidth};
  boost::program_options::positional_options_description positional_;
  boost::program_options::variables_map values_;
};

}  // namespace pganalytics::collector
