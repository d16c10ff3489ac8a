#include "plugins/logs/follow/local_files.h"

#include <dirent.h>
#include <fcntl.h>
#include <glob.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <optional>

namespace pganalytics::logs {
namespace {

constexpr std::size_t kMaxFolderEntries = 10'000;

FileFacts facts_of(const struct stat& status) {
  FileFacts facts;
  facts.id = {status.st_dev, status.st_ino};
  facts.size = static_cast<std::uint64_t>(status.st_size);
  facts.mtime_ns = static_cast<std::int64_t>(status.st_mtim.tv_sec) * 1'000'000'000 + status.st_mtim.tv_nsec;
  return facts;
}

// nullopt: not a regular file, or gone.
std::optional<FileFacts> look_at(int folder_fd, const char* name, const std::string& path, Problems& problems) {
  struct stat status {};
  if (fstatat(folder_fd, name, &status, 0) != 0) {
    if (errno != ENOENT) problems.push_back({"logs.stat", "cannot stat " + path + ": " + std::strerror(errno)});
    return std::nullopt;
  }
  if (!S_ISREG(status.st_mode)) return std::nullopt;
  return facts_of(status);
}

class LocalFile : public ReadableFile {
 public:
  LocalFile(int fd, const FileFacts& facts) : ReadableFile(facts), fd_(fd) {}
  ~LocalFile() override { close(fd_); }

  // As it is now.
  [[nodiscard]] std::unique_ptr<ReadableFile> again() const {
    struct stat status {};
    const int fd = fcntl(fd_, F_DUPFD_CLOEXEC, 0);
    if (fd < 0) return nullptr;
    auto file = std::make_unique<LocalFile>(fd, fstat(fd, &status) == 0 ? facts_of(status) : facts());
    return file;
  }

  [[nodiscard]] Expected<std::size_t> read(std::uint64_t offset, char* to, std::size_t length) const override {
    for (;;) {
      const ssize_t got = pread(fd_, to, length, static_cast<off_t>(offset));
      if (got >= 0) return static_cast<std::size_t>(got);
      if (errno != EINTR) return Error{PGA_E_FAIL, "logs.read", std::string("reading failed: ") + std::strerror(errno), "", 0};
    }
  }

 private:
  const int fd_;
};

}  // namespace

std::vector<ListedFile> LocalFiles::matching(const std::string& pattern, Problems& problems) {
  std::vector<ListedFile> files;
  glob_t matched{};
  const int code = ::glob(pattern.c_str(), 0, nullptr, &matched);
  if (code == GLOB_NOSPACE || code == GLOB_ABORTED) problems.push_back({"logs.pattern", "cannot expand " + pattern});
  for (std::size_t i = 0; code == 0 && i < matched.gl_pathc; ++i) {
    const char* const path = matched.gl_pathv[i];
    if (const auto facts = look_at(AT_FDCWD, path, path, problems)) files.push_back({path, *facts});
  }
  globfree(&matched);
  return files;
}

std::vector<ListedFile> LocalFiles::in_folder(const std::string& folder, Problems& problems) {
  std::vector<ListedFile> files;
  const std::unique_ptr<DIR, int (*)(DIR*)> listing(opendir(folder.c_str()), closedir);
  if (listing == nullptr) return files;  // gone, with all in it
  std::size_t entries = 0;
  while (const dirent* entry = readdir(listing.get())) {
    if (++entries > kMaxFolderEntries) break;
    if (entry->d_type != DT_REG && entry->d_type != DT_UNKNOWN) continue;
    const std::string path = folder + entry->d_name;
    if (const auto facts = look_at(dirfd(listing.get()), entry->d_name, path, problems)) files.push_back({path, *facts});
  }
  return files;
}

std::int64_t LocalFiles::now_ns() const {
  std::timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  return static_cast<std::int64_t>(now.tv_sec) * 1'000'000'000 + now.tv_nsec;
}

// A FIFO does not block.
Expected<std::unique_ptr<ReadableFile>> LocalFiles::open(const std::string& path) {
  const auto failed = [&](const std::string& what, int reason) {
    const pga_status status = reason == EACCES || reason == EPERM ? PGA_E_DENIED : PGA_E_FAIL;
    return Error{status, "logs.open", "cannot " + what + " " + path + ": " + std::strerror(reason), "", 0};
  };
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  if (fd < 0) return failed("open", errno);
  struct stat status {};
  const int reason = fstat(fd, &status) == 0 ? 0 : errno;
  std::unique_ptr<ReadableFile> file = std::make_unique<LocalFile>(fd, facts_of(status));
  if (reason != 0) return failed("stat", reason);
  if (!S_ISREG(status.st_mode)) return Error{PGA_E_FAIL, "logs.open", path + " is not a regular file", "", 0};
  return file;
}

std::unique_ptr<ReadableFile> LocalFiles::held(const FileId& id) {
  for (const auto& file : held_) {
    if (file->facts().id == id) return static_cast<const LocalFile&>(*file).again();
  }
  return nullptr;
}

void LocalFiles::hold(const std::vector<ListedFile>& files) {
  std::vector<std::unique_ptr<ReadableFile>> kept;
  for (const ListedFile& wanted : files) {
    const auto before = std::find_if(held_.begin(), held_.end(),
                                     [&](const auto& file) { return file != nullptr && file->facts().id == wanted.facts.id; });
    if (before != held_.end()) {
      kept.push_back(std::move(*before));
    } else if (auto opened = open(wanted.path); opened && opened.value()->facts().id == wanted.facts.id) {
      kept.push_back(std::move(opened).value());
    }
  }
  held_ = std::move(kept);
}

}  // namespace pganalytics::logs
