#include <pganalytics/hosting.hpp>

#include <cstring>

#include "tests/support/catch.h"

using namespace pganalytics;
using pganalytics::hosting::StagedState;

TEST_CASE("a run sees what it staged; others see it once it is committed") {
  StagedState::Committed committed{{"a", "1"}, {"b", "2"}};
  StagedState state(committed);
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
  StagedState::Committed committed;
  StagedState state(committed);
  for (const char* key : {"", "A", "a b", "a/b", "\xC3\xA4"}) CHECK(state.set(key, "1") == PGA_E_FAIL);
  CHECK(state.set(std::string(64, 'k'), "1") == PGA_OK);
  CHECK(state.set(std::string(65, 'k'), "1") == PGA_E_FAIL);
  CHECK(state.set("big", std::string(64 * 1024, 'x')) == PGA_OK);
  CHECK(state.set("big", std::string(64 * 1024 + 1, 'x')) == PGA_E_LIMIT);
}

TEST_CASE("all values together have a limit, and replacing or deleting gives room back") {
  StagedState::Committed committed;
  StagedState state(committed);
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

TEST_CASE("what a plugin wrote into an error is read no further than the arrays go") {
  pga_error error = hosting::blank_error();
  CHECK(error.struct_size == sizeof error);
  std::memset(error.code, 'c', sizeof error.code);
  std::memset(error.message, 'm', sizeof error.message);
  error.retry_after_ms = 250;
  const Error read = hosting::error_of(PGA_E_TRANSIENT, error);
  CHECK(read.status == PGA_E_TRANSIENT);
  CHECK(read.code == std::string(sizeof error.code, 'c'));
  CHECK(read.message == std::string(sizeof error.message, 'm'));
  CHECK(read.retry_after_ms == 250);
  CHECK(hosting::error_of(PGA_E_FAIL, hosting::blank_error()).message.empty());
}

TEST_CASE("a value is handed out whole or not at all, and its size is always told") {
  const std::string value = "12345";
  char buffer[8] = "-------";
  std::size_t size = 4;
  CHECK(hosting::hand_out(&value, buffer, &size) == PGA_E_TOOSMALL);
  CHECK(size == 5);
  CHECK(std::string(buffer) == "-------");
  CHECK(hosting::hand_out(&value, buffer, &size) == PGA_OK);
  CHECK(std::string(buffer) == "12345--");
  CHECK(hosting::hand_out(nullptr, buffer, &size) == PGA_E_NOTFOUND);
  const std::string empty;
  size = 0;
  CHECK(hosting::hand_out(&empty, buffer, &size) == PGA_OK);
}

TEST_CASE("a status that this minor does not know is a failure") {
  for (const pga_status known : {PGA_OK, PGA_E_FAIL, PGA_E_LIMIT, PGA_E_FATAL}) CHECK(hosting::known_status(known) == known);
  for (const pga_status unknown : {1, -11, INT32_MIN, INT32_MAX}) CHECK(hosting::known_status(unknown) == PGA_E_FAIL);
}
