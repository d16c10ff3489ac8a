#include "core/server/program/arguments.h"

#include "core/schema/units.h"

#include <algorithm>
#include <iostream>
#include <pganalytics/json.hpp>
#include <sstream>

namespace pganalytics::server::program {
namespace {

namespace po = boost::program_options;

constexpr unsigned kLineLength = 110;

po::options_description common_options() {
  po::options_description common("Every command", kLineLength);
  common.add_options()("config", po::value<std::string>()->value_name("FILE"),
                       "configuration file (default /etc/pganalytics/server.toml)");
  common.add_options()("json", po::bool_switch(), "answer as JSON");
  common.add_options()("help,h", "this text");
  return common;
}

void print_overview(std::ostream& out, const std::vector<Command>& commands) {
  out << "pganalytics-server: registers collectors, stores what they push, serves configuration and queries.\n\nCommands:\n";
  for (const Command& command : commands) {
    std::string left = command.name + (command.operands.empty() ? "" : " " + command.operands);
    left.resize(std::max<std::size_t>(left.size() + 2, 30), ' ');
    out << "  " << left << command.summary << "\n";
  }
  out << "\nEach has --help. Exit status: 0 done, 1 failed, 2 usage or configuration, 75 data_dir is in use.\n";
}

void print_help(const Command& command) {
  std::cout << "usage: pganalytics-server " << command.name << (command.operands.empty() ? "" : " " + command.operands)
            << " [options]\n\n"
            << command.summary << "\n\n";
  if (!command.options.options().empty()) std::cout << command.options << "\n";
  std::cout << common_options();
}

int usage_error(const std::string& message, const std::string& hint) {
  std::cerr << "error: " << message << "\nHINT: " << hint << "\n";
  return kExitUsage;
}

// "token create --uses 2" -> the command named by the first one or two words, and how many words that took.
const Command* find(const std::vector<Command>& commands, const std::vector<std::string>& words, std::size_t& taken) {
  for (std::size_t count : {2U, 1U}) {
    if (words.size() < count) continue;
    const std::string name = count == 2 ? words[0] + " " + words[1] : words[0];
    const auto command = std::find_if(commands.begin(), commands.end(), [&](const Command& c) { return c.name == name; });
    if (command == commands.end()) continue;
    taken = count;
    return &*command;
  }
  return nullptr;
}

int unknown_command(const std::vector<Command>& commands, const std::vector<std::string>& words) {
  const std::string said = words.size() > 1 && words[1].rfind('-', 0) != 0 ? words[0] + " " + words[1] : words[0];
  std::vector<std::string> names;
  for (const Command& command : commands) names.push_back(command.name);
  const std::string meant = schema::nearest(said, names);
  return usage_error("unknown command '" + said + "'",
                     meant.empty() ? "pganalytics-server --help lists them." : "Did you mean '" + meant + "'?");
}

int execute(const Command& command, const std::vector<std::string>& words) {
  po::options_description visible;
  visible.add(command.options).add(common_options());
  po::options_description all;
  all.add(visible).add_options()("operand", po::value<std::vector<std::string>>());
  po::positional_options_description positions;
  positions.add("operand", -1);
  Arguments arguments;
  try {
    po::store(po::command_line_parser(words).options(all).positional(positions).run(), arguments.values);
    po::notify(arguments.values);
  } catch (const po::error& mistake) {
    return usage_error(mistake.what(), "pganalytics-server " + command.name + " --help lists the options.");
  }
  if (arguments.values.count("help") != 0) return print_help(command), kExitOk;
  if (arguments.values.count("config") != 0) arguments.config_file = arguments.value<std::string>("config");
  arguments.json = arguments.value<bool>("json");
  if (arguments.values.count("operand") != 0) arguments.words = arguments.value<std::vector<std::string>>("operand");
  if (arguments.words.size() != command.operand_count) {
    return usage_error(command.name + " takes " + (command.operands.empty() ? "no operands" : command.operands),
                       "pganalytics-server " + command.name + " --help shows how.");
  }
  return command.execute(arguments);
}

}  // namespace

int dispatch(const std::vector<Command>& commands, int argc, char** argv) {
  std::vector<std::string> words(argv + 1, argv + argc);
  if (words.empty()) return print_overview(std::cerr, commands), kExitUsage;
  if (words[0] == "--help" || words[0] == "-h" || words[0] == "help") return print_overview(std::cout, commands), kExitOk;
  std::size_t taken = 0;
  const Command* const command = find(commands, words, taken);
  if (command == nullptr) return unknown_command(commands, words);
  words.erase(words.begin(), words.begin() + static_cast<std::ptrdiff_t>(taken));
  return execute(*command, words);
}

int report_revoked(const Arguments& arguments) {
  if (arguments.json) {
    JsonWriter json;
    std::cout << json.begin_object().member("id", arguments.words[0]).member("revoked", true).end_object().text() << "\n";
  } else {
    std::cout << "revoked " << arguments.words[0] << "\n";
  }
  return kExitOk;
}

int report(const Error& error) {
  std::cerr << "error: " << error.message << "\n";
  if (!error.hint.empty()) std::cerr << "HINT: " << error.hint << "\n";
  if (error.code == "cluster.in_use") return kExitInUse;
  return error.status == PGA_E_CONFIG ? kExitUsage : kExitFailed;
}

}  // namespace pganalytics::server::program
