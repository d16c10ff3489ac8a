#include "core/collector/command_line.h"

#include "core/collector/installation.h"
#include "core/log/log.h"

#include <cstdio>
#include <sstream>

namespace pganalytics::collector {
namespace po = boost::program_options;

void print_error(const Error& error) {
  std::string text = "pganalytics: " + error.message + "\n";
  if (!error.hint.empty()) text += "HINT: " + error.hint + "\n";
  std::fputs(text.c_str(), stderr);
}

void print_json(const JsonWriter& json) { std::printf("%.*s\n", static_cast<int>(json.text().size()), json.text().data()); }

CommandLine::CommandLine(std::string usage, std::string about) : usage_(std::move(usage)), about_(std::move(about)) {
  shared_.add_options()                                                                                                      //
      ("config", po::value<std::string>()->value_name("FILE"), "configuration (default /etc/pganalytics/pganalytics.toml)")  //
      ("plugin-dir", po::value<std::vector<std::string>>()->value_name("DIR"),
       "look for plugins here first; may be given several times")  //
      ("help,h", "show this and end");
}

std::optional<int> CommandLine::parse(const std::vector<std::string>& arguments) {
  po::options_description all("", kHelpWidth);
  all.add(own_).add(shared_);
  try {
    // No guessing: an abbreviation that works today could mean something else tomorrow.
    const int style = po::command_line_style::default_style & ~po::command_line_style::allow_guessing;
    po::store(po::command_line_parser(arguments).options(all).positional(positional_).style(style).run(), values_);
    po::notify(values_);
  } catch (const po::error& wrong) {
    return usage_error(wrong.what());
  }
  if (!has("help")) return std::nullopt;
  std::ostringstream help;
  help << "usage: pganalytics " << usage_ << "\n\n" << about_ << "\n";
  if (!own_.options().empty()) help << "\n" << own_;
  help << "\n" << shared_;
  std::fputs(help.str().c_str(), stdout);
  return kOk;
}

std::vector<std::string> CommandLine::texts(const std::string& option) const {
  return has(option) ? values_[option].as<std::vector<std::string>>() : std::vector<std::string>();
}

int CommandLine::usage_error(const std::string& what) const {
  std::string command, word;
  for (std::istringstream words(usage_);
       words >> word && word.find_first_not_of("abcdefghijklmnopqrstuvwxyz-") == std::string::npos;)
    command += word + " ";
  print_error({PGA_E_CONFIG, "usage", what, "See `pganalytics " + command + "--help`.", 0});
  return kUsage;
}

std::string CommandLine::config_file() const { return has("config") ? text("config") : kDefaultConfigFile; }

Expected<config::CollectorConfig> CommandLine::load_config(bool must_exist) const {
  return completed(config::load(config_file(), config::process_environment(), !must_exist && !has("config")));
}

Expected<config::CollectorConfig> CommandLine::load_named_config() const {
  if (has("config")) return load_config(true);
  auto none = config::load_text("", "", config::process_environment());
  if (none) none->files.clear();
  return completed(std::move(none));
}

// With what the command line and the installation have to say.
Expected<config::CollectorConfig> CommandLine::completed(Expected<config::CollectorConfig> loaded) const {
  if (!loaded) {
    Error error = std::move(loaded).error();
    if (error.status == PGA_E_NOTFOUND && error.hint.empty()) error.hint = "Name the file with --config FILE.";
    return error;
  }
  if (loaded->plugin_dirs.empty()) loaded->plugin_dirs = default_plugin_dirs();
  const auto first = texts("plugin-dir");
  loaded->plugin_dirs.insert(loaded->plugin_dirs.begin(), first.begin(), first.end());
  log::set_level(loaded->log_level);
  return loaded;
}

}  // namespace pganalytics::collector
