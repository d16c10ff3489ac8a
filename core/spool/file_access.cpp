#include "core/spool/file_access.h"

#include "core/spool/spool_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

namespace pganalytics::spool {
namespace {

// sqlite.org/uri.html
std::string immutable_uri(const std::string& path) {
  std::string uri = "file:";
  for (const char c : path) {
    char escaped[4];
    std::snprintf(escaped, sizeof escaped, "%%%02X", static_cast<unsigned>(static_cast<unsigned char>(c)));
    const bool plain =
        (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '/' || c == '.' || c == '_';
    uri += plain ? std::string(1, c) : escaped;
  }
  return uri + "?immutable=1";
}

Outcome is_ours(Database& database, const std::string& path) {
  PGA_CHECK(check_format(database, path));
  PGA_TRY(Statement probe, database.prepare("SELECT epoch FROM spool"));
  PGA_TRY(const bool found, probe.step());
  if (found) return {};
  return Error{PGA_E_FAIL, "spool.empty", path + " is empty", "", 0};
}

Error failed(const char* doing, const std::string& path) {
  return Error{PGA_E_FAIL, "spool.file", std::string("unable to ") + doing + " " + path + ": " + std::strerror(errno), "", 0};
}

}  // namespace

FilePlace place_of(const std::string& path) {
  struct stat file {};
  if (::stat(path.c_str(), &file) != 0) return {};
  return {file.st_dev, file.st_ino};
}

dev_t file_system_of(const std::string& dir) {
  for (std::string at = dir;;) {
    if (const FilePlace place = place_of(at); place.inode != 0) return place.device;
    const std::size_t slash = at.find_last_of('/');
    if (slash == std::string::npos || at == "/") return 0;
    at = slash == 0 ? "/" : at.substr(0, slash);
  }
}

Expected<Database> open_for_reading(const std::string& path) {
  auto plain = Database::open(path, SQLITE_OPEN_READONLY);
  if (plain) {
    Outcome ours = is_ours(plain.value(), path);
    if (ours) return plain;
    plain = std::move(ours).error();
  }
  // A log needs its index beside it, which may not be writable here; without a log none is needed.
  struct stat log {};
  if (::stat((path + "-wal").c_str(), &log) == 0 && log.st_size > 0) return plain;
  PGA_TRY(Database database, Database::open(immutable_uri(path), SQLITE_OPEN_READONLY | SQLITE_OPEN_URI));
  PGA_CHECK(is_ours(database, path));
  return database;
}

Outcome write_whole(Database& database, const std::string& path) {
  const std::string fresh = path + ".new";
  ::unlink(fresh.c_str());
  {
    PGA_TRY(Database copy, Database::open(fresh, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE));
    PGA_CHECK(copy.copy_from(database));
  }
  const int fd = ::open(fresh.c_str(), O_RDONLY | O_CLOEXEC);
  const bool synced = fd >= 0 && ::fchmod(fd, 0600) == 0 && ::fsync(fd) == 0;
  if (fd >= 0) ::close(fd);
  if (!synced) return failed("write", fresh);
  // A log that lies there belongs to another file.
  for (const char* const beside : {"-wal", "-shm"}) ::unlink((path + beside).c_str());
  if (::rename(fresh.c_str(), path.c_str()) != 0) return failed("rename", fresh);
  const std::string dir = path.substr(0, path.find_last_of('/'));
  const int dir_fd = ::open(dir.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  const bool kept = dir_fd >= 0 && ::fsync(dir_fd) == 0;
  if (dir_fd >= 0) ::close(dir_fd);
  return kept ? Outcome() : failed("write", dir);
}

}  // namespace pganalytics::spool
