#include "core/server/program/service_user.h"

#include "core/files/files.h"

#include <grp.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <vector>

namespace pganalytics::server::program {
namespace {

struct Account {
  std::string name;
  uid_t uid;
  gid_t gid;
};

Expected<Account> find_account(const std::string& wanted) {
  const std::vector<std::string> names =
      wanted.empty() ? std::vector<std::string>{"pganalytics", "postgres"} : std::vector<std::string>{wanted};
  for (const std::string& name : names) {
    if (const passwd* entry = ::getpwnam(name.c_str()); entry != nullptr && entry->pw_uid != 0)
      return Account{name, entry->pw_uid, entry->pw_gid};
  }
  const std::string tried =
      wanted.empty() ? "neither user pganalytics nor postgres exists" : "user " + wanted + " does not exist or is root";
  return Error{PGA_E_CONFIG, "user", "started as root, but " + tried,
               "Create one: adduser --system --group pganalytics; or name another in [server] user.", 0};
}

// root:root is what an operator's mkdir leaves; anything else belongs to somebody who did not ask for this.
Outcome hand_over(const std::string& data_dir, const Account& account) {
  struct stat status {};
  if (::stat(data_dir.c_str(), &status) != 0)
    return Error{PGA_E_FAIL, "data_dir", "looking at " + data_dir + ": " + std::strerror(errno), "", 0};
  if (status.st_uid == account.uid) return {};
  if (status.st_uid != 0 || !std::filesystem::is_empty(data_dir)) {
    return Error{PGA_E_DENIED, "data_dir", "data_dir " + data_dir + " is not empty and does not belong to user " + account.name,
                 "Choose another data_dir, or give this one to the user: chown -R " + account.name + " " + data_dir + ".", 0};
  }
  if (::chown(data_dir.c_str(), account.uid, account.gid) != 0) {
    return Error{PGA_E_DENIED, "data_dir", "giving " + data_dir + " to user " + account.name + ": " + std::strerror(errno), "",
                 0};
  }
  return {};
}

Outcome become(const Account& account) {
  if (::initgroups(account.name.c_str(), account.gid) != 0 || ::setgid(account.gid) != 0 || ::setuid(account.uid) != 0) {
    return Error{PGA_E_DENIED, "user", "becoming user " + account.name + ": " + std::strerror(errno), "", 0};
  }
  return {};
}

}  // namespace

Outcome become_service_user(const std::string& wanted, const std::string& data_dir) {
  PGA_CHECK(files::make_directories(data_dir, 0700));
  std::string name = "this user";
  if (::geteuid() == 0) {
    PGA_TRY(const Account account, find_account(wanted));
    PGA_CHECK(hand_over(data_dir, account));
    PGA_CHECK(become(account));
    name = "user " + account.name;
  }
  if (::access(data_dir.c_str(), R_OK | W_OK | X_OK) != 0) {
    return Error{PGA_E_DENIED, "data_dir", name + " cannot enter data_dir " + data_dir + ": " + std::strerror(errno),
                 "The folders above it must be open to that user; /var/lib/pganalytics-server is a good place.", 0};
  }
  return {};
}

}  // namespace pganalytics::server::program
