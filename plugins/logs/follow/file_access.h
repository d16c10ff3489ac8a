// Where log files come from: the seam between following files and getting at their bytes.
//
// Two implementations: local_files.h, the file system of this host, and ../server/server_files.h, the server asked through SQL.
// What is above (survey.h, fingerprint.h, line_reader.h) knows files by FileFacts and bytes only, so that one set of rules keeps
// both exact. One object per run or longer, on the run's thread.
#pragma once

#include "plugins/logs/problem.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <pganalytics/expected.hpp>
#include <string>
#include <vector>

namespace pganalytics::logs {

// Two files that are there at the same time differ in it; that of a file that is gone may come back as another's.
struct FileId {
  std::uint64_t device = 0;
  std::uint64_t inode = 0;
  bool operator==(const FileId& other) const { return device == other.device && inode == other.inode; }
};

struct FileFacts {
  FileId id;
  std::uint64_t size = 0;     // bytes
  std::int64_t mtime_ns = 0;  // last written, Unix time
};

struct ListedFile {
  std::string path;
  FileFacts facts;
};

// A regular file, open for reading.
class ReadableFile {
 public:
  explicit ReadableFile(const FileFacts& facts) : facts_(facts) {}
  ReadableFile(const ReadableFile&) = delete;
  ReadableFile& operator=(const ReadableFile&) = delete;
  virtual ~ReadableFile() = default;

  [[nodiscard]] const FileFacts& facts() const { return facts_; }  // when it was opened

  // Puts bytes from `offset` into `to`, at most `length` and possibly fewer; returns how many. 0: the file ends there, now.
  [[nodiscard]] virtual Expected<std::size_t> read(std::uint64_t offset, char* to, std::size_t length) const = 0;

 private:
  const FileFacts facts_;
};

// Exactly `length` bytes from `offset`, or fewer because the file ends.
Expected<std::string> read_bytes(const ReadableFile& file, std::uint64_t offset, std::uint64_t length);

class FileAccess {
 public:
  FileAccess() = default;
  FileAccess(const FileAccess&) = delete;
  FileAccess& operator=(const FileAccess&) = delete;
  virtual ~FileAccess() = default;

  // Regular files whose path matches a shell pattern. What cannot be looked at is told in `problems`.
  virtual std::vector<ListedFile> matching(const std::string& pattern, Problems& problems) = 0;

  // Regular files of a folder, which ends in "/"; none if it cannot be listed.
  virtual std::vector<ListedFile> in_folder(const std::string& folder, Problems& problems) = 0;

  // Unix time by the clock that mtime_ns is of.
  [[nodiscard]] virtual std::int64_t now_ns() const = 0;

  // A file that was followed before, whatever became of its name: as long as it is held it can be read, also when it has been
  // removed. nullptr: it is not held.
  virtual std::unique_ptr<ReadableFile> held(const FileId&) { return nullptr; }

  // "logs.open"; PGA_E_DENIED if that is the reason. Anything but a regular file is an error.
  virtual Expected<std::unique_ptr<ReadableFile>> open(const std::string& path) = 0;
};

}  // namespace pganalytics::logs
