// The server's log files as the server itself shows them: pg_ls_logdir() and pg_read_binary_file() through SQL.
//
// There are no inodes: a file is known by the cluster it is of and by its name, and follow/fingerprint.h tells whether a name
// means another file by now. Times are those of the server's clock, to the second. One object per run; one thread.
#pragma once

#include "plugins/logs/follow/file_access.h"
#include "plugins/logs/server/log_session.h"

#include <memory>
#include <string>
#include <vector>

namespace pganalytics::logs {

class ServerFiles : public FileAccess {
 public:
  // `folder`: log_directory as the server takes it in a path, "/" at its end. Borrows the session.
  ServerFiles(LogSession& session, std::uint64_t system_identifier, std::string folder)
      : session_(session), system_identifier_(system_identifier), folder_(std::move(folder)) {}

  // Asks which files there are; before anything else. What follows speaks of these.
  Outcome list();

  std::vector<ListedFile> matching(const std::string& pattern, Problems& problems) override;
  std::vector<ListedFile> in_folder(const std::string& folder, Problems& problems) override;
  Expected<std::unique_ptr<ReadableFile>> open(const std::string& path) override;
  [[nodiscard]] std::int64_t now_ns() const override { return now_ns_; }

 private:
  LogSession& session_;
  const std::uint64_t system_identifier_;
  const std::string folder_;
  std::vector<ListedFile> files_;
  std::int64_t now_ns_ = 0;
};

}  // namespace pganalytics::logs
