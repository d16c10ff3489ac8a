#include "core/collector/plugin_programs.h"

#include "core/host/plugin_info.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <string_view>

namespace pganalytics::collector {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kPrefix = "pganalytics-";
constexpr std::array<std::string_view, 2> kOwnParts = {"worker",
                                                       "checker"};  // started by the collector, with arguments of its own

bool is_command(std::string_view word) {
  constexpr std::string_view kLetters = "abcdefghijklmnopqrstuvwxyz";
  constexpr std::string_view kOthers = "abcdefghijklmnopqrstuvwxyz0123456789_-";
  return !word.empty() && kLetters.find(word[0]) != std::string_view::npos &&
         word.find_first_not_of(kOthers) == std::string_view::npos &&
         std::find(kOwnParts.begin(), kOwnParts.end(), word) == kOwnParts.end();
}

bool is_program(const fs::path& path) {
  std::error_code unknown;
  return fs::is_regular_file(path, unknown) && access(path.c_str(), X_OK) == 0;
}

}  // namespace

std::vector<std::string> commands_of_plugins(const std::string& folder) {
  std::vector<std::string> commands;
  std::error_code unreadable;
  for (fs::directory_iterator file(folder, unreadable), end; !unreadable && file != end; file.increment(unreadable)) {
    const std::string name = file->path().filename().string();
    if (name.compare(0, kPrefix.size(), kPrefix) != 0) continue;
    const std::string command = name.substr(kPrefix.size());
    if (is_command(command) && is_program(file->path())) commands.push_back(command);
  }
  std::sort(commands.begin(), commands.end());
  return commands;
}

Expected<std::string> program_of_plugin(const std::string& folder, const std::string& command) {
  const std::string path = folder + "/" + std::string(kPrefix) + command;
  if (!is_command(command) || !is_program(path)) {
    return Error{PGA_E_NOTFOUND, "command.unknown", "there is no program " + path, "", 0};
  }
  PGA_CHECK(host::check_trusted_path(path));
  return path;
}

Error become_program(const std::string& path, const std::vector<std::string>& arguments) {
  std::vector<std::string> words = {path.substr(path.rfind('/') + 1)};
  words.insert(words.end(), arguments.begin(), arguments.end());
  std::vector<char*> pointers;
  for (std::string& word : words) pointers.push_back(word.data());
  pointers.push_back(nullptr);
  execv(path.c_str(), pointers.data());
  return Error{PGA_E_FAIL, "command.start", "cannot start " + path + ": " + std::strerror(errno), "", 0};
}

}  // namespace pganalytics::collector
