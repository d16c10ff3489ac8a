// check_trust(): may this file's code run in our name? Only if nobody but root and we could have put it there.
//
// Here: path, owner, mode, parents. Not here: what is in the file (elf_note.h). No race to close: whoever could swap the file
// between this check and the load is root or us.
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>

#include "core/host/plugin_info.h"

namespace pganalytics::host {
namespace {

Error untrusted(const std::string& message, std::string hint) {
  return Error{PGA_E_DENIED, "plugin.untrusted", message, std::move(hint), 0};
}

// Started by the service manager itself, not by somebody's shell beneath it: systemd names the process it started.
bool is_service() {
  const char* const started = std::getenv("SYSTEMD_EXEC_PID");
  return std::getenv("NOTIFY_SOCKET") != nullptr || (started != nullptr && std::to_string(getpid()) == started);
}

bool is_trusted_owner(uid_t owner) { return owner == 0 || owner == geteuid(); }

Outcome check_step(const std::string& path, const struct stat& facts) {
  if (!is_trusted_owner(facts.st_uid)) {
    return untrusted(path + " belongs to user " + std::to_string(facts.st_uid), "Let root own it: chown root " + path + ".");
  }
  const bool others_write = (facts.st_mode & (S_IWGRP | S_IWOTH)) != 0;
  // In a sticky folder others add files but cannot replace ours, and what it holds is checked before it is. A service has no
  // business there all the same: what is installed does not lie in /tmp.
  const bool sticky_folder = S_ISDIR(facts.st_mode) && (facts.st_mode & S_ISVTX) != 0;
  if (others_write && sticky_folder && is_service()) {
    return untrusted(path + " can be written by everybody", "Install the plugin in a folder of root's, as its package does.");
  }
  if (others_write && !sticky_folder) {
    return untrusted(path + " can be written by others than its owner", "Close it: chmod go-w " + path + ".");
  }
  return {};
}

Outcome check_path(const std::string& path, bool is_file) {
  struct stat facts {};
  if (lstat(path.c_str(), &facts) != 0) return untrusted("cannot examine " + path + ": " + std::strerror(errno), "");
  if (is_file && !S_ISREG(facts.st_mode)) return untrusted(path + " is not a regular file", "");
  return check_step(path, facts);
}

}  // namespace

Outcome check_trust(const std::string& path) {
  constexpr std::string_view kSuffix = ".so";
  if (path.size() <= kSuffix.size() || path.compare(path.size() - kSuffix.size(), kSuffix.size(), kSuffix) != 0)
    return untrusted(path + " does not end in .so", "Give a plugin's file the name <id>.so.");
  const std::unique_ptr<char, decltype(&std::free)> resolved(realpath(path.c_str(), nullptr), &std::free);
  if (resolved == nullptr) return untrusted("cannot resolve " + path + ": " + std::strerror(errno), "");
  std::string step = resolved.get();
  PGA_CHECK(check_path(step, true));
  while (step != "/") {
    const std::size_t slash = step.rfind('/');
    step.resize(slash == 0 ? 1 : slash);
    PGA_CHECK(check_path(step, false));
  }
  return {};
}

}  // namespace pganalytics::host
