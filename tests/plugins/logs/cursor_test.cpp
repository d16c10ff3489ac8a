#include "plugins/logs/follow/cursor.h"

#include "tests/support/catch.h"

namespace pganalytics::logs {
namespace {

Cursor cursor(std::uint64_t inode, std::int64_t mtime_ns, bool done) {
  Cursor made;
  made.id = {7, inode};
  made.path = "/var/log/postgresql/a \"quoted\" name \xff.log";
  made.size = 100;
  made.offset = done ? 100 : 40;
  made.mtime_ns = mtime_ns;
  made.fingerprint = {100, 0xffffffffffffffff, 1};
  made.resynchronise = !done;
  return made;
}

}  // namespace

TEST_CASE("what is stored comes back") {
  State state;
  state.cursors = {cursor(1, 5, true), cursor(0xffffffffffffffff, -5, false)};
  state.watched = {1, 0xffffffffffffffff};
  state.forgotten_ns = 3;
  const auto read = parse_state(state_json(state));
  REQUIRE(read);
  REQUIRE(read.value().cursors.size() == 2);
  CHECK(read.value().watched == state.watched);
  CHECK(read.value().forgotten_ns == 3);
  const Cursor& second = read.value().cursors[1];
  CHECK(second.id == state.cursors[1].id);
  CHECK(second.offset == 40);
  CHECK(second.size == 100);
  CHECK(second.mtime_ns == -5);
  CHECK(second.fingerprint.head == 0xffffffffffffffff);
  CHECK(second.resynchronise);
}

TEST_CASE("no state is the first run's; anything else that is not ours is an error") {
  REQUIRE(parse_state(""));
  CHECK(parse_state("").value().cursors.empty());
  for (const char* text : {"{", "[]", "{}", R"({"version":2,"forgotten_ns":0,"watched":[],"cursors":[]})",
                           R"({"version":1,"forgotten_ns":0,"watched":["a"],"cursors":[]})",
                           R"({"version":1,"forgotten_ns":0,"watched":[],"cursors":[[1,2,3]]})",
                           R"({"version":1,"forgotten_ns":0,"watched":[],"cursors":[[1,2,"/a",-1,5,5,5,5,5,false]]})"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_state(text));
  }
}

TEST_CASE("too many files: the oldest that are read go, nothing that is unread, and the state fits") {
  State state;
  for (int i = 0; i < 3000; ++i) state.cursors.push_back(cursor(static_cast<std::uint64_t>(i), i + 1, i != 2500));
  const std::string json = state_json(state);
  CHECK(json.size() <= kMaxStateBytes);
  const auto read = parse_state(json);
  REQUIRE(read);
  CHECK(read.value().forgotten_ns > 0);
  CHECK(read.value().forgotten_ns < 2501);
  bool unread_kept = false;
  for (const Cursor& kept : read.value().cursors) {
    CHECK(kept.mtime_ns > read.value().forgotten_ns);
    unread_kept = unread_kept || kept.id.inode == 2500;
  }
  CHECK(unread_kept);
}

}  // namespace pganalytics::logs
