// Log files in the file system of this host.
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
};

}  // namespace pganalytics::logs
