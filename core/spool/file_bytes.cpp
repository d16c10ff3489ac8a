#include "core/spool/file_bytes.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

namespace pganalytics::spool {

// O_NONBLOCK: a pipe in the file's place is no file, and must not be waited for.
FileBytes::FileBytes(const std::string& path) : fd_(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)) {
  struct stat facts {};
  if (fd_ >= 0 && ::fstat(fd_, &facts) == 0 && S_ISREG(facts.st_mode)) size_ = static_cast<std::uint64_t>(facts.st_size);
}

FileBytes::~FileBytes() {
  if (fd_ >= 0) ::close(fd_);
}

// lseek(2), SEEK_DATA: ENXIO is "only a hole from here on"; a file system that does not know says EINVAL.
FileBytes::Extent FileBytes::data_from(std::uint64_t at) const {
  if (at >= size_) return {size_, size_};
  const off_t begin = ::lseek(fd_, static_cast<off_t>(at), SEEK_DATA);
  if (begin < 0) return errno == ENXIO ? Extent{size_, size_} : Extent{at, size_};
  const off_t end = ::lseek(fd_, begin, SEEK_HOLE);
  return {static_cast<std::uint64_t>(begin), end > begin ? static_cast<std::uint64_t>(end) : size_};
}

std::uint64_t FileBytes::data_bytes() const {
  std::uint64_t bytes = 0;
  for (Extent extent = data_from(0); extent.begin < size_; extent = data_from(extent.end)) bytes += extent.end - extent.begin;
  return bytes;
}

bool FileBytes::read(std::uint64_t at, std::size_t bytes, std::string& out) const {
  if (at > size_ || bytes > size_ - at) return false;
  out.resize(bytes);
  for (std::size_t done = 0; done < bytes;) {
    const ssize_t got = ::pread(fd_, out.data() + done, bytes - done, static_cast<off_t>(at + done));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return false;
    done += static_cast<std::size_t>(got);
  }
  return true;
}

}  // namespace pganalytics::spool
