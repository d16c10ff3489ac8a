#include "core/files/file_lock.h"

#include "tests/support/catch.h"
#include "tests/support/temporary_folder.h"

using namespace pganalytics;
using namespace std::chrono_literals;
using files::FileLock;

TEST_CASE("one holder at a time, and the next gets it when the first is gone") {
  const testing::TemporaryFolder folder;
  {
    const auto first = FileLock::take(folder / "lock", 0ms);
    REQUIRE(first);
    const auto second = FileLock::take(folder / "lock", 30ms);
    REQUIRE_FALSE(second);
    CHECK(second.error().status == PGA_E_TRANSIENT);
    CHECK_FALSE(second.error().hint.empty());
  }
  CHECK(FileLock::take(folder / "lock", 0ms));
}

TEST_CASE("a moved lock stays held") {
  const testing::TemporaryFolder folder;
  auto first = FileLock::take(folder / "lock", 0ms);
  REQUIRE(first);
  const FileLock kept = std::move(first).value();
  CHECK_FALSE(FileLock::take(folder / "lock", 0ms));
}

TEST_CASE("a folder that is not there is told by name") {
  const auto lock = FileLock::take("/nonexistent/lock", 0ms);
  REQUIRE_FALSE(lock);
  CHECK(lock.error().message.find("/nonexistent/lock") != std::string::npos);
}
