// A file that is only read, at offsets: bytes that cannot be read count as absent. [one thread at a time]
//
// Private to core/spool, for reading what may be damaged. Through pread, not a mapping: a bad sector must not be a signal.
#pragma once

#include <cstdint>
#include <string>

namespace pganalytics::spool {

class FileBytes {
 public:
  explicit FileBytes(const std::string& path);  // one that cannot be opened has no bytes
  FileBytes(FileBytes&& other) noexcept : fd_(other.fd_), size_(other.size_) { other.fd_ = -1; }
  FileBytes& operator=(FileBytes&&) = delete;
  ~FileBytes();

  [[nodiscard]] std::uint64_t size() const { return size_; }
  // Where something was written at or behind `at`: a file may say that it is a terabyte large and hold none of it. Both ends are
  // size() if only a hole follows; all is data on file systems that know no holes.
  struct Extent {
    std::uint64_t begin = 0, end = 0;
  };
  [[nodiscard]] Extent data_from(std::uint64_t at) const;
  [[nodiscard]] std::uint64_t data_bytes() const;
  // Exactly `bytes` from `at` on into `out`; false: they are not there.
  bool read(std::uint64_t at, std::size_t bytes, std::string& out) const;

 private:
  int fd_ = -1;
  std::uint64_t size_ = 0;
};

// Numbers as SQLite's files hold them. The caller knows that the bytes are there.
inline std::uint32_t big_endian_32(const char* bytes) {
  const auto* const b = reinterpret_cast<const unsigned char*>(bytes);
  return std::uint32_t{b[0]} << 24 | std::uint32_t{b[1]} << 16 | std::uint32_t{b[2]} << 8 | std::uint32_t{b[3]};
}
inline std::uint16_t big_endian_16(const char* bytes) {
  const auto* const b = reinterpret_cast<const unsigned char*>(bytes);
  return static_cast<std::uint16_t>(b[0] << 8 | b[1]);
}

}  // namespace pganalytics::spool
