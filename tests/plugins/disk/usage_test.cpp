// The arithmetic of df.
#include "plugins/disk/usage.h"

#include "tests/support/catch.h"

using namespace pganalytics::disk;

namespace {

struct statvfs answer(unsigned long frsize, fsblkcnt_t blocks, fsblkcnt_t free, fsblkcnt_t available) {
  struct statvfs result {};
  result.f_bsize = 65536;  // must not be used: f_frsize is the unit
  result.f_frsize = frsize;
  result.f_blocks = blocks;
  result.f_bfree = free;
  result.f_bavail = available;
  return result;
}

}  // namespace

TEST_CASE("used is total less free, available is what is left to ordinary users") {
  const Usage usage = usage_of(answer(4096, 1000, 300, 250));
  CHECK(usage.total_bytes == 4096u * 1000);
  CHECK(usage.used_bytes == 4096u * 700);
  CHECK(usage.available_bytes == 4096u * 250);
}

TEST_CASE("a file system without a table of inodes has null inodes, not zero") {
  struct statvfs result = answer(4096, 1000, 300, 250);
  CHECK_FALSE(usage_of(result).inodes_total);
  CHECK_FALSE(usage_of(result).inodes_used);
  CHECK_FALSE(usage_of(result).inodes_free);
  result.f_files = 100;
  result.f_ffree = 40;
  CHECK(usage_of(result).inodes_total == 100u);
  CHECK(usage_of(result).inodes_used == 60u);
  CHECK(usage_of(result).inodes_free == 40u);
}

TEST_CASE("absurd answers give no absurd numbers") {
  constexpr auto kHuge = ~fsblkcnt_t{0};
  CHECK(usage_of(answer(4096, 1000, 300, kHuge - 9)).available_bytes == 0u);  // "minus ten": root's reserve is in use
  CHECK(usage_of(answer(4096, 100, 300, 0)).used_bytes == 0u);
  CHECK_FALSE(usage_of(answer(4096, kHuge, 0, 0)).total_bytes);
}
