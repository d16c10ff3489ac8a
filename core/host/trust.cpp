// check_trust(): may this file's code run in our name? Only if nobody but root and we could have put it there.
//
// Here: path, owner, mode, parents, links on the way. Not here: what is in the file (elf_note.h). No race to close: whoever could
// swap the file between this check and the load is root or us. [any thread]
#include <grp.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <climits>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

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

// Where umask 002 is the rule (Ubuntu, Fedora) each ordinary user has a group of the same name with nobody else in it: it is that
// user. A group of root's or of a service may get members any day; one that does not fit into the buffer has some.
bool is_alone_in(gid_t group) {
  if (geteuid() == 0 || is_service()) return false;
  std::array<char, 16'384> user_text, group_text;
  passwd user_entry{}, *user = nullptr;
  struct group group_entry {
  }, *entry = nullptr;
  getpwuid_r(geteuid(), &user_entry, user_text.data(), user_text.size(), &user);
  getgrgid_r(group, &group_entry, group_text.data(), group_text.size(), &entry);
  return user != nullptr && user->pw_gid == group && entry != nullptr && std::strcmp(entry->gr_name, user->pw_name) == 0 &&
         *entry->gr_mem == nullptr;
}

Error foreign(const std::string& path, uid_t owner) {
  return untrusted(path + " belongs to user " + std::to_string(owner), "Let root own it: chown -h root " + path + ".");
}

Outcome check_step(const std::string& path, const struct stat& facts) {
  if (!is_trusted_owner(facts.st_uid)) return foreign(path, facts.st_uid);
  const bool group_writes = (facts.st_mode & S_IWGRP) != 0 && !is_alone_in(facts.st_gid);
  const bool others_write = group_writes || (facts.st_mode & S_IWOTH) != 0;
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

Error unresolved(const std::string& path, int code) {
  return untrusted("cannot resolve " + path + ": " + std::strerror(code),
                   "Remove it, or install again what it stands for; see `ls -l " + path + "`.");
}

// A path, one name after the other, as the kernel walks it. Whoever may write to a folder on the way, also to one that only holds
// a link, decides what is found at the end.
class Walk {
 public:
  explicit Walk(const std::string& path) : path_(path) { add_names(path); }

  Outcome to_the_end() {
    PGA_CHECK(arrive_at("/"));
    while (!names_.empty()) {
      const std::string name = std::move(names_.back());
      names_.pop_back();
      if (name == "..") {
        at_.resize(at_.empty() ? 0 : at_.rfind('/'));
      } else if (!name.empty() && name != ".") {
        PGA_CHECK(take(at_ + "/" + name));
      }
    }
    return S_ISREG(facts_.st_mode) ? Outcome() : Outcome(no_file());
  }

 private:
  // To be taken from the back.
  void add_names(const std::string& path) {
    for (std::size_t end = path.size(); end != std::string::npos && end > 0;) {
      const std::size_t slash = path.rfind('/', end - 1);
      names_.push_back(path.substr(slash + 1, end - slash - 1));
      end = slash;
    }
  }

  Outcome take(const std::string& step) {
    if (lstat(step.c_str(), &facts_) != 0) return unresolved(path_, errno);
    return S_ISLNK(facts_.st_mode) ? follow(step) : arrive_at(step);
  }

  Outcome arrive_at(const std::string& step) {
    if (lstat(step.c_str(), &facts_) != 0) return unresolved(path_, errno);
    at_ = step == "/" ? "" : step;
    if (!S_ISREG(facts_.st_mode) && !S_ISDIR(facts_.st_mode)) return no_file();
    return check_step(step, facts_);
  }

  [[nodiscard]] Error no_file() const {
    return untrusted(path_ + " is not a regular file", "Only plugins belong in a plugin folder under a name that ends in .so.");
  }

  // The mode of a link says nothing, its owner may still replace it in a sticky folder.
  Outcome follow(const std::string& link) {
    if (++links_ > kLinksMax) return unresolved(path_, ELOOP);
    if (!is_trusted_owner(facts_.st_uid)) return foreign(link, facts_.st_uid);
    char target[PATH_MAX];
    const ssize_t length = readlink(link.c_str(), target, sizeof target);
    if (length < 0 || static_cast<std::size_t>(length) == sizeof target)
      return unresolved(path_, length < 0 ? errno : ENAMETOOLONG);
    const std::string text(target, static_cast<std::size_t>(length));
    if (text.front() == '/') at_.clear();
    add_names(text);
    return {};
  }

  static constexpr int kLinksMax = 40;  // the kernel's own

  const std::string& path_;
  std::vector<std::string> names_;
  std::string at_;  // where we are, "" for the root
  struct stat facts_ {};
  int links_ = 0;
};

}  // namespace

Outcome check_trusted_path(const std::string& path) {
  std::error_code failed;
  const std::string whole = std::filesystem::absolute(path, failed).string();
  if (failed) return unresolved(path, failed.value());
  return Walk(whole).to_the_end();
}

Outcome check_trust(const std::string& path) {
  constexpr std::string_view kSuffix = ".so";
  if (path.size() <= kSuffix.size() || path.compare(path.size() - kSuffix.size(), kSuffix.size(), kSuffix) != 0)
    return untrusted(path + " does not end in .so", "Give a plugin's file the name <id>.so.");
  return check_trusted_path(path);
}

}  // namespace pganalytics::host
