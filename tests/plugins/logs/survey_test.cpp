// What is concluded of files that cannot be read for the moment: nothing.
#include "plugins/logs/follow/survey.h"

#include "tests/support/catch.h"

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace pganalytics::logs {
namespace {

// Files in memory, of which reading may fail.
class MemoryFiles : public FileAccess {
 public:
  void put(const std::string& path, std::uint64_t inode, std::string text) {
    files_.push_back({path, {{1, inode}, text.size(), static_cast<std::int64_t>(inode)}});
    texts_.push_back(std::move(text));
  }
  void remove(const std::string& path) {
    const auto at = std::find_if(files_.begin(), files_.end(), [&](const ListedFile& file) { return file.path == path; });
    texts_.erase(texts_.begin() + (at - files_.begin()));
    files_.erase(at);
  }
  bool failing = false;

  std::vector<ListedFile> matching(const std::string&, Problems&) override { return files_; }
  std::vector<ListedFile> in_folder(const std::string&, Problems&) override { return files_; }
  [[nodiscard]] std::int64_t now_ns() const override { return 1000; }
  Expected<std::unique_ptr<ReadableFile>> open(const std::string& path) override {
    for (std::size_t i = 0; i < files_.size(); ++i) {
      if (files_[i].path == path)
        return std::unique_ptr<ReadableFile>(std::make_unique<File>(files_[i].facts, texts_[i], failing));
    }
    return Error{PGA_E_FAIL, "logs.open", "no " + path, "", 0};
  }

 private:
  class File : public ReadableFile {
   public:
    File(const FileFacts& facts, std::string text, bool failing)
        : ReadableFile(facts), text_(std::move(text)), failing_(failing) {}
    [[nodiscard]] Expected<std::size_t> read(std::uint64_t offset, char* to, std::size_t length) const override {
      if (failing_) return Error{PGA_E_TRANSIENT, "logs.read", "the line is dead", "", 0};
      return text_.copy(to, length, std::min<std::size_t>(offset, text_.size()));
    }

   private:
    const std::string text_;
    const bool failing_;
  };

  std::vector<ListedFile> files_;
  std::vector<std::string> texts_;
};

State state_of(const Survey& survey) {
  State state;
  state.watched = survey.watched;
  for (const FollowedFile& file : survey.files) state.cursors.push_back(file.cursor);
  return state;
}

}  // namespace

TEST_CASE("a rename that is seen while nothing can be read is neither a loss nor a new file") {
  const std::string text(100, 'x');
  MemoryFiles files;
  files.put("/log/a.log", 1, text);
  State state = state_of(survey_files(files, {"/log/*"}, Start::kBeginning, {}));
  REQUIRE(state.cursors.size() == 1);
  state.cursors[0].offset = 40;
  state.cursors[0].fingerprint.tail = hash_bytes(text.substr(0, 40));

  files.remove("/log/a.log");
  files.put("/log/b.log", 2, text + "more");  // copied, as far as anybody can tell
  files.failing = true;
  const Survey blind = survey_files(files, {"/log/*"}, Start::kBeginning, state);
  REQUIRE(blind.files.size() == 1);
  CHECK_FALSE(blind.files[0].readable);
  CHECK(blind.files[0].cursor.offset == 40);
  CHECK(std::none_of(blind.problems.begin(), blind.problems.end(),
                     [](const Problem& problem) { return problem.code == "logs.lost"; }));

  files.failing = false;
  const Survey seen = survey_files(files, {"/log/*"}, Start::kBeginning, state_of(blind));
  REQUIRE(seen.files.size() == 1);
  CHECK(seen.files[0].readable);
  CHECK(seen.files[0].cursor.path == "/log/b.log");
  CHECK(seen.files[0].cursor.offset == 40);
}

TEST_CASE("when other files than before are watched, those written since are read whole and older ones from their end") {
  MemoryFiles files;
  files.put("/log/old.json", 1, "old\n");
  files.put("/log/a.log", 2, "text\n");
  files.put("/log/new.json", 3, "new\n");
  State state;
  Cursor known;
  known.id = {1, 2};
  known.path = "/log/a.log";
  known.mtime_ns = 2;
  state.cursors = {known};
  state.watched = {4711};
  const Survey survey = survey_files(files, {"/log/*"}, Start::kEndOfOlder, state);
  for (const FollowedFile& file : survey.files) {
    CAPTURE(file.cursor.path);
    CHECK(file.cursor.offset == (file.cursor.path == "/log/old.json" ? 4U : 0U));
  }
  CHECK(survey.files.size() == 3);
}

}  // namespace pganalytics::logs
