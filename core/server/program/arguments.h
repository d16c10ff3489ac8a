// The command line of pganalytics-server: options that every command has, those of each, and how help and mistakes look.
#pragma once

#include <boost/program_options.hpp>
#include <functional>
#include <optional>
#include <pganalytics/expected.hpp>
#include <string>
#include <vector>

namespace pganalytics::server::program {

inline constexpr int kExitOk = 0;
inline constexpr int kExitFailed = 1;
inline constexpr int kExitUsage = 2;   // command line or configuration
inline constexpr int kExitInUse = 75;  // another server holds data_dir (EX_TEMPFAIL of sysexits.h)

// What a command was called with.
struct Arguments {
  std::optional<std::string> config_file;
  bool json = false;
  boost::program_options::variables_map values;
  std::vector<std::string> words;  // positional, after the command's name

  template <class T>
  [[nodiscard]] T value(const char* name) const {
    return values[name].as<T>();
  }
};

struct Command {
  std::string name;      // "token create"
  std::string operands;  // "ID FILE|-": shown in the usage line
  std::size_t operand_count = 0;
  std::string summary;
  boost::program_options::options_description options;  // its own, beside --config, --json, --help
  std::function<int(const Arguments&)> execute;         // the exit code
};

// Finds the command in argv, reads its options, executes it. Help goes to stdout (0), mistakes to stderr with a HINT (2).
int dispatch(const std::vector<Command>& commands, int argc, char** argv);

// What the commands that revoke something by its id say when it is done.
int report_revoked(const Arguments& arguments);

// An error on stderr, its HINT below. Returns the exit code that fits it.
int report(const Error& error);

}  // namespace pganalytics::server::program
