// Which files and folders a plugin gets to read because its configuration names them.
//
// A folder is given with all beneath it. A file or a pattern gives the folders that it lies in, because a rotated or replaced
// file must stay readable and a rule sticks to the inode. A folder that holds a secret is never given: of it the named files
// alone. Here: paths. Not here: needs and what the system itself needs (sandbox_policy.cpp). Reads folders, changes nothing. [any
// thread]
#pragma once

#include "core/host/worker_policy.h"

#include <pganalytics/expected.hpp>
#include <string>
#include <vector>

namespace pganalytics::host {

class ReadablePlaces {
 public:
  // `secret_paths`: files and folders of which nothing may be read; some of the system's own are added.
  explicit ReadablePlaces(const std::vector<std::string>& secret_paths);

  // A path of the configuration: file, folder or pattern. What does not exist gives nothing. PGA_E_CONFIG: it is secret, or a
  // folder with a secret in it.
  // `access`: PathGrant::kRead, and kExecute for who runs programs.
  Outcome add_named(const std::string& path, std::uint32_t access = PathGrant::kRead);
  // Exactly this file or folder, if it exists and is no secret.
  void add(const std::string& path, std::uint32_t access = PathGrant::kRead);

  // Sorted, without links, each path once.
  [[nodiscard]] std::vector<PathGrant> grants() const;

 private:
  [[nodiscard]] bool is_secret(const std::string& path) const;
  [[nodiscard]] bool holds_secret(const std::string& folder) const;
  void give(const std::string& real_path, std::uint32_t access);
  void add_file(const std::string& path, std::uint32_t access);
  void add_pattern(const std::string& pattern, std::uint32_t access);

  std::vector<std::string> secrets_;
  std::vector<PathGrant> grants_;
};

}  // namespace pganalytics::host
