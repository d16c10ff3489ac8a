// Log files in the file system of this host. Kept from run to run for the files that it holds open.
#pragma once

#include "plugins/logs/follow/file_access.h"

#include <memory>
#include <string>
#include <vector>

namespace pganalytics::logs {

class LocalFiles : public FileAccess {
 public:
  std::vector<ListedFile> matching(const std::string& pattern, Problems& problems) override;
  std::vector<ListedFile> in_folder(const std::string& folder, Problems& problems) override;
  [[nodiscard]] std::int64_t now_ns() const override;
  Expected<std::unique_ptr<ReadableFile>> open(const std::string& path) override;
  std::unique_ptr<ReadableFile> held(const FileId& id) override;

  // Holds these files open from now on, and no others. The disk keeps what is removed while it is held, so that they should be
  // few.
  void hold(const std::vector<ListedFile>& files);

 private:
  std::vector<std::unique_ptr<ReadableFile>> held_;
};

}  // namespace pganalytics::logs
