#include "plugins/logs/follow/fingerprint.h"

#include "plugins/logs/follow/local_files.h"
#include "tests/support/catch.h"
#include "tests/support/temporary_folder.h"

#include <fstream>
#include <string>

namespace pganalytics::logs {
namespace {

bool is_like(const Fingerprint& fingerprint, std::uint64_t offset, const std::string& path, const std::string& text) {
  std::ofstream(path, std::ios::trunc | std::ios::binary) << text;
  const auto file = LocalFiles().open(path);
  REQUIRE(file);
  const auto equal = matches(fingerprint, *file.value(), offset);
  REQUIRE(equal);
  return equal.value();
}

}  // namespace

TEST_CASE("a file that grew is the same; another beginning or another text before the cursor is not") {
  const testing::TemporaryFolder folder;
  const std::string path = folder / "a.log";
  const std::string text = std::string(2000, 'a') + std::string(2000, 'b');
  std::ofstream(path, std::ios::binary) << text;
  const auto file = LocalFiles().open(path);
  REQUIRE(file);
  constexpr std::uint64_t kOffset = 3500;
  const auto fingerprint = take_fingerprint(*file.value(), text.size(), kOffset);
  REQUIRE(fingerprint);
  const auto changed = [&](std::size_t at) {
    std::string other = text;
    other[at] = 'x';
    return other;
  };
  CHECK(is_like(fingerprint.value(), kOffset, path, text));
  CHECK(is_like(fingerprint.value(), kOffset, path, text + "more"));
  CHECK(is_like(fingerprint.value(), kOffset, path, changed(3600)));  // not delivered yet: another cursor's matter
  CHECK_FALSE(is_like(fingerprint.value(), kOffset, path, changed(5)));
  CHECK_FALSE(is_like(fingerprint.value(), kOffset, path, changed(3499)));
  CHECK_FALSE(is_like(fingerprint.value(), kOffset, path, text.substr(0, 3000)));
}

}  // namespace pganalytics::logs
