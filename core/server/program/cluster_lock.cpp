#include "core/server/program/cluster_lock.h"

#include "core/files/files.h"

namespace pganalytics::server::program {
namespace {

constexpr char kServer[] = "server\n";
constexpr char kCommand[] = "command\n";

}  // namespace

Expected<std::optional<files::FileLock>> try_lock_cluster(const std::string& path, bool as_server) {
  PGA_TRY(auto lock, files::FileLock::try_take(path));
  if (lock) PGA_CHECK(lock->write_note(as_server ? kServer : kCommand));
  return lock;
}

bool locked_by_server(const std::string& path) {
  const auto holder = files::read(path, 64);
  return holder && *holder == kServer;
}

}  // namespace pganalytics::server::program
