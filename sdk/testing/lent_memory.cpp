#include "lent_memory.h"

#include <sys/mman.h>
#include <unistd.h>

#include <cstring>
#include <new>
#include <utility>

namespace pganalytics::testing {

LentMemory::LentMemory(std::size_t size, bool guarded) : size_(size) {
  if (!guarded) {
    heap_ = std::make_unique<char[]>(size);
    data_ = heap_.get();
    return;
  }
  const auto page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
  const std::size_t accessible = (size + page - 1) / page * page;
  void* const mapped = mmap(nullptr, accessible + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (mapped == MAP_FAILED) throw std::bad_alloc();
  pages_ = static_cast<char*>(mapped);
  pages_bytes_ = accessible + page;
  if (mprotect(pages_ + accessible, page, PROT_NONE) != 0) {
    munmap(pages_, pages_bytes_);
    throw std::bad_alloc();
  }
  data_ = pages_ + accessible - size;
}

LentMemory::LentMemory(LentMemory&& other) noexcept
    : size_(other.size_),
      data_(other.data_),
      pages_(std::exchange(other.pages_, nullptr)),
      pages_bytes_(other.pages_bytes_),
      heap_(std::move(other.heap_)) {}

LentMemory::~LentMemory() {
  if (pages_ != nullptr) munmap(pages_, pages_bytes_);
}

// Failing to protect would only make the host kinder than it says.
void LentMemory::make_read_only() {
  if (pages_ != nullptr) mprotect(pages_, static_cast<std::size_t>(data_ + size_ - pages_), PROT_READ);
}

void LentMemory::make_writable() {
  if (pages_ != nullptr) mprotect(pages_, static_cast<std::size_t>(data_ + size_ - pages_), PROT_READ | PROT_WRITE);
}

void LentMemory::fill(unsigned char byte) {
  if (size_ > 0) std::memset(data_, byte, size_);
}

}  // namespace pganalytics::testing
