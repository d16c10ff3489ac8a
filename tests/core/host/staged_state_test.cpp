#include "core/host/worker/staged_state.h"

#include "tests/support/catch.h"

using pganalytics::worker::StagedState;

TEST_CASE("a run sees what it staged; others see it once it is committed") {
  StagedState state({{"a", "1"}, {"b", "2"}});
  CHECK(state.set("a", "10") == PGA_OK);
  CHECK(state.set("b", std::nullopt) == PGA_OK);
  CHECK(state.set("c", "") == PGA_OK);
  CHECK(*state.get("a") == "10");
  CHECK(state.get("b") == nullptr);
  CHECK(state.get("c")->empty());
  CHECK(state.staged().size() == 3);

  SECTION("committed") {
    state.settle(true);
    CHECK(*state.get("a") == "10");
    CHECK(state.get("b") == nullptr);
    CHECK(state.get("c") != nullptr);
  }
  SECTION("dropped") {
    state.settle(false);
    CHECK(*state.get("a") == "1");
    CHECK(*state.get("b") == "2");
    CHECK(state.get("c") == nullptr);
  }
  CHECK(state.staged().empty());
}

TEST_CASE("keys and sizes have limits") {
  StagedState state({});
  for (const char* key : {"", "A", "a b", "a/b", "\xC3\xA4"}) CHECK(state.set(key, "1") == PGA_E_FAIL);
  CHECK(state.set(std::string(64, 'k'), "1") == PGA_OK);
  CHECK(state.set(std::string(65, 'k'), "1") == PGA_E_FAIL);
  CHECK(state.set("big", std::string(64 * 1024, 'x')) == PGA_OK);
  CHECK(state.set("big", std::string(64 * 1024 + 1, 'x')) == PGA_E_LIMIT);
}

TEST_CASE("all values together have a limit, and replacing or deleting gives room back") {
  StagedState state({});
  const std::string large(64 * 1024, 'x');
  int taken = 0;
  while (state.set("key." + std::to_string(taken), large) == PGA_OK) ++taken;
  CHECK(taken == 15);  // the sixteenth would fit but for the keys
  CHECK(state.set("key.0", large) == PGA_OK);
  CHECK(state.set("key.99", large) == PGA_E_LIMIT);
  CHECK(state.set("key.0", std::nullopt) == PGA_OK);
  CHECK(state.set("key.99", large) == PGA_OK);
  state.settle(true);
  CHECK(state.set("key.100", large) == PGA_E_LIMIT);
}
