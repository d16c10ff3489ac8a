// Memory that a host lends to a plugin, laid out so that a plugin which oversteps shows. One thread at a time.
#pragma once

#include <cstddef>
#include <memory>

namespace pganalytics::testing {

constexpr unsigned char kPoison = 0xA5;

// Bytes that end where an inaccessible page begins; or, unguarded, a heap block of exactly their size, for tools that watch
// those.
class LentMemory {
 public:
  LentMemory(std::size_t size, bool guarded);
  LentMemory(LentMemory&& other) noexcept;
  LentMemory& operator=(LentMemory&&) = delete;
  LentMemory(const LentMemory&) = delete;
  LentMemory& operator=(const LentMemory&) = delete;
  ~LentMemory();

  [[nodiscard]] char* data() { return data_; }
  [[nodiscard]] std::size_t size() const { return size_; }

  // From now on a write faults (guarded memory only).
  void make_read_only();
  void make_writable();
  void fill(unsigned char byte);

 private:
  std::size_t size_;
  char* data_ = nullptr;
  char* pages_ = nullptr;  // guarded: the mapping, the inaccessible page last
  std::size_t pages_bytes_ = 0;
  std::unique_ptr<char[]> heap_;
};

}  // namespace pganalytics::testing
