#include "core/validator/checker/process_state.h"

#include <malloc.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <clocale>
#include <cstdint>
#include <cstring>
#include <filesystem>

extern char** environ;
// Of a sanitizer's runtime, where there is one.
extern "C" __attribute__((weak)) std::size_t __sanitizer_get_current_allocated_bytes();

namespace pganalytics::validator {
namespace {

namespace fs = std::filesystem;

std::vector<std::string> names_in(const char* folder) {
  std::vector<std::string> names;
  std::error_code failed;
  for (fs::directory_iterator entry(folder, failed), end; !failed && entry != end; entry.increment(failed)) {
    names.push_back(entry->path().filename().string());
  }
  return names;
}

std::set<std::string> descriptor_list() {
  std::set<std::string> list;
  for (const std::string& name : names_in("/proc/self/fd")) {
    std::error_code closed;  // the one that listed them
    const std::string target = fs::read_symlink("/proc/self/fd/" + name, closed).string();
    if (!closed) list.insert(name + " -> " + target);
  }
  return list;
}

std::vector<std::string> handler_list() {
  std::vector<std::string> list;
  for (int number = 1; number < NSIG; ++number) {
    struct sigaction action {};
    if (sigaction(number, nullptr, &action) != 0) continue;  // the C library keeps two for itself
    list.push_back(std::to_string(number) + " " + std::to_string(reinterpret_cast<std::uintptr_t>(action.sa_sigaction)));
  }
  return list;
}

mode_t current_umask() {
  const mode_t mask = umask(0);
  umask(mask);
  return mask;
}

std::vector<std::string> environment_list() {
  std::vector<std::string> list;
  for (char** variable = environ; variable != nullptr && *variable != nullptr; ++variable) list.emplace_back(*variable);
  std::sort(list.begin(), list.end());
  return list;
}

}  // namespace

std::size_t open_descriptors() { return descriptor_list().size(); }
std::size_t running_threads() { return names_in("/proc/self/task").size(); }

std::size_t bytes_in_use() {
  if (__sanitizer_get_current_allocated_bytes != nullptr) return __sanitizer_get_current_allocated_bytes();
  const struct mallinfo2 info = mallinfo2();
  return info.uordblks + info.hblkhd;
}

ProcessState ProcessState::now() {
  ProcessState state;
  state.descriptors = descriptor_list();
  state.threads = running_threads();
  state.signal_handlers = handler_list();
  state.locale = std::setlocale(LC_ALL, nullptr);
  std::error_code gone;
  state.folder = fs::current_path(gone).string();
  state.umask = current_umask();
  state.environment = environment_list();
  return state;
}

std::optional<std::string> ProcessState::difference(const ProcessState& after) const {
  for (const std::string& descriptor : after.descriptors) {
    if (descriptors.count(descriptor) == 0) return "it left descriptor " + descriptor + " open";
  }
  for (const std::string& descriptor : descriptors) {
    if (after.descriptors.count(descriptor) == 0) return "it closed descriptor " + descriptor;
  }
  if (after.threads > threads) return "it started " + std::to_string(after.threads - threads) + " threads";
  for (std::size_t i = 0; i < std::min(signal_handlers.size(), after.signal_handlers.size()); ++i) {
    if (signal_handlers[i] == after.signal_handlers[i]) continue;
    return "it changed what signal " + after.signal_handlers[i].substr(0, after.signal_handlers[i].find(' ')) + " does";
  }
  if (locale != after.locale) return "it changed the locale to " + after.locale;
  if (folder != after.folder) return "it changed the working directory to " + after.folder;
  if (umask != after.umask) return "it changed the umask";
  if (environment != after.environment) return "it changed the environment";
  return std::nullopt;
}

}  // namespace pganalytics::validator
