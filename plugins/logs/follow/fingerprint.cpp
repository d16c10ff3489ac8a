#include "plugins/logs/follow/fingerprint.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string>

namespace pganalytics::logs {
namespace {

// Fewer bytes if the file ends before.
Expected<std::string> read_at(int fd, std::uint64_t offset, std::uint64_t length) {
  std::string bytes(length, '\0');
  std::size_t got = 0;
  while (got < length) {
    const ssize_t n = pread(fd, bytes.data() + got, length - got, static_cast<off_t>(offset + got));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return Error{PGA_E_FAIL, "logs.read", std::string("reading failed: ") + std::strerror(errno), "", 0};
    if (n == 0) break;
    got += static_cast<std::size_t>(n);
  }
  bytes.resize(got);
  return bytes;
}

}  // namespace

std::uint64_t hash_bytes(std::string_view bytes) {
  std::uint64_t hash = 0xcbf29ce484222325;
  for (const char c : bytes) {
    hash ^= static_cast<unsigned char>(c);
    hash *= 0x100000001b3;
  }
  return hash;
}

Expected<Fingerprint> take_fingerprint(int fd, std::uint64_t size, std::uint64_t offset) {
  PGA_TRY(const std::string head, read_at(fd, 0, std::min(size, kSampleBytes)));
  const std::uint64_t tail_bytes = std::min(offset, kSampleBytes);
  PGA_TRY(const std::string tail, read_at(fd, offset - tail_bytes, tail_bytes));
  return Fingerprint{head.size(), hash_bytes(head), hash_bytes(tail)};
}

Expected<bool> matches(const Fingerprint& fingerprint, int fd, std::uint64_t offset) {
  PGA_TRY(const Fingerprint now, take_fingerprint(fd, fingerprint.head_bytes, offset));
  return now.head_bytes == fingerprint.head_bytes && now.head == fingerprint.head && now.tail == fingerprint.tail;
}

}  // namespace pganalytics::logs
