#include "core/files/files.h"

#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <set>
#include <system_error>

namespace pganalytics::files {
namespace {

Error system_error(const std::string& what, const std::string& path, int code) {
  const pga_status status = code == ENOENT ? PGA_E_NOTFOUND : code == EACCES || code == EPERM ? PGA_E_DENIED : PGA_E_FAIL;
  return Error{status, "file", what + " " + path + ": " + std::strerror(code), "", 0};
}

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  [[nodiscard]] int get() const { return fd_; }
  [[nodiscard]] explicit operator bool() const { return fd_ >= 0; }

 private:
  int fd_;
};

std::string folder_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

Outcome write_all(int fd, std::string_view content, const std::string& path) {
  while (!content.empty()) {
    const ssize_t written = ::write(fd, content.data(), content.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return system_error("writing", path, errno);
    content.remove_prefix(static_cast<std::size_t>(written));
  }
  return {};
}

Outcome sync_folder(const std::string& folder) {
  const Descriptor fd(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd || ::fsync(fd.get()) != 0) return system_error("syncing folder", folder, errno);
  return {};
}

// The temporary file with its content on disk; the caller renames it.
Outcome write_temporary(const std::string& temporary, std::string_view content, mode_t mode) {
  ::unlink(temporary.c_str());  // left by a crash; O_EXCL below still refuses anything that comes back
  const Descriptor fd(::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode));
  if (!fd) return system_error("creating", temporary, errno);
  // Exactly `mode`, whatever the umask.
  if (::fchmod(fd.get(), mode) != 0) return system_error("setting the mode of", temporary, errno);
  PGA_CHECK(write_all(fd.get(), content, temporary));
  if (::fsync(fd.get()) != 0) return system_error("syncing", temporary, errno);
  return {};
}

// Where umask 002 is the rule each ordinary user has a group of the same name with nobody else in it: it is that user.
bool is_own_group(gid_t group) {
  const passwd* const user = ::getpwuid(::geteuid());
  if (::geteuid() == 0 || user == nullptr || user->pw_gid != group) return false;
  const std::string name = user->pw_name;
  const struct group* const entry = ::getgrgid(group);
  return entry != nullptr && entry->gr_name == name && *entry->gr_mem == nullptr;
}

Error not_private(const std::string& message, const std::string& hint) {
  return Error{PGA_E_DENIED, "file.not_private", message, hint, 0};
}

Outcome check_folder(const std::string& folder, bool holds_the_file, const std::string& secret) {
  struct stat status {};
  if (::stat(folder.c_str(), &status) != 0) return system_error("looking at", folder, errno);
  const bool others_write = (status.st_mode & S_IWOTH) != 0 || ((status.st_mode & S_IWGRP) != 0 && !is_own_group(status.st_gid));
  if (others_write && (status.st_mode & S_ISVTX) == 0) {
    return not_private(secret + " holds a secret but others can replace it: they may write in " + folder,
                       "Run chmod go-w " + folder + ", or keep it elsewhere.");
  }
  if (holds_the_file && status.st_uid != 0 && status.st_uid != ::geteuid()) {
    return not_private(secret + " holds a secret but its folder belongs to user " + std::to_string(status.st_uid),
                       "Run chown so that " + folder + " belongs to root or to the service's user.");
  }
  return {};
}

// `folder` and all above it.
std::set<std::string> folders_to(const std::filesystem::path& folder) {
  std::set<std::string> folders;
  for (std::filesystem::path at = folder; folders.insert(at.string()).second; at = at.parent_path()) {
  }
  return folders;
}

}  // namespace

Expected<std::string> read(const std::string& path, std::size_t max_bytes) {
  const Descriptor fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd) return system_error("opening", path, errno);
  const Error too_large{PGA_E_LIMIT, "file.size", "reading " + path + ": larger than " + std::to_string(max_bytes) + " bytes", "",
                        0};
  struct stat facts {};
  if (::fstat(fd.get(), &facts) != 0) return system_error("examining", path, errno);
  std::string content;
  if (S_ISREG(facts.st_mode)) {  // others do not say how much will come, nor does a file that grows
    if (facts.st_size > 0 && static_cast<std::uintmax_t>(facts.st_size) > max_bytes) return too_large;
    content.reserve(static_cast<std::size_t>(facts.st_size));
  }
  char block[16384];
  for (;;) {
    const ssize_t got = ::read(fd.get(), block, sizeof block);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return system_error("reading", path, errno);
    if (got == 0) return content;
    content.append(block, static_cast<std::size_t>(got));
    if (content.size() > max_bytes) return too_large;
  }
}

Outcome write_atomically(const std::string& path, std::string_view content, mode_t mode) {
  const std::string temporary = path + ".new";
  if (Outcome written = write_temporary(temporary, content, mode); !written) {
    ::unlink(temporary.c_str());
    return written;
  }
  if (::rename(temporary.c_str(), path.c_str()) != 0) return system_error("renaming to", path, errno);
  return sync_folder(folder_of(path));
}

Outcome make_directories(const std::string& path, mode_t mode) {
  for (std::size_t slash = path.find('/', 1); slash != std::string::npos; slash = path.find('/', slash + 1)) {
    const std::string parent = path.substr(0, slash);
    if (::mkdir(parent.c_str(), 0755) != 0 && errno != EEXIST) return system_error("creating folder", parent, errno);
  }
  if (::mkdir(path.c_str(), mode) == 0) {
    if (::chmod(path.c_str(), mode) != 0) return system_error("setting the mode of", path, errno);
    return {};
  }
  if (errno != EEXIST) return system_error("creating folder", path, errno);
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) return system_error("looking at", path, errno);
  if (!S_ISDIR(status.st_mode)) return system_error("creating folder", path, ENOTDIR);
  return {};
}

Outcome check_private(const std::string& path) {
  struct stat status {};
  if (::lstat(path.c_str(), &status) != 0) return system_error("looking at", path, errno);
  const auto refuse = [&](const std::string& why, const std::string& hint) -> Outcome {
    return Error{PGA_E_DENIED, "file.not_private", path + " holds a secret but " + why, hint, 0};
  };
  if (!S_ISREG(status.st_mode)) return refuse("is not a regular file", "Put the file itself there, not a link.");
  if (status.st_uid != 0 && status.st_uid != ::geteuid()) {
    return refuse("belongs to user " + std::to_string(status.st_uid),
                  "Run chown so that it belongs to root or to the service's user.");
  }
  const mode_t forbidden = status.st_uid == 0 ? S_IWGRP | S_IXGRP | S_IRWXO : S_IRWXG | S_IRWXO;
  if ((status.st_mode & forbidden) != 0) return refuse("is open to others", "Run chmod 600 " + path + ".");
  return {};
}

Outcome check_private_place(const std::string& path) {
  PGA_CHECK(check_private(path));
  std::error_code failed;
  const std::filesystem::path folder = std::filesystem::absolute(folder_of(path), failed).lexically_normal();
  const std::filesystem::path real = std::filesystem::canonical(folder, failed);
  if (failed) return system_error("resolving", folder.string(), failed.value());
  PGA_CHECK(check_folder(real.string(), true, path));
  // As it was given, links included, and where it leads: who may write to either decides what is found.
  std::set<std::string> folders = folders_to(folder);
  folders.merge(folders_to(real));
  for (const std::string& each : folders) PGA_CHECK(check_folder(each, false, path));
  return {};
}

Outcome remove(const std::string& path) {
  if (::unlink(path.c_str()) == 0) return sync_folder(folder_of(path));
  const int why = errno;
  // A read-only file system refuses before it looks whether there is anything.
  if (why == ENOENT || ::access(path.c_str(), F_OK) != 0) return {};
  return system_error("removing", path, why);
}

std::string stamp_of(const std::string& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) return {};
  return std::to_string(status.st_ino) + "." + std::to_string(status.st_size) + "." + std::to_string(status.st_mtim.tv_sec) +
         "." + std::to_string(status.st_mtim.tv_nsec);
}

}  // namespace pganalytics::files
