#include "core/transport/waitlist.h"

#include "tests/support/catch.h"

using pganalytics::spool::BatchKey;
using pganalytics::transport::Waitlist;

namespace {

BatchKey key(std::uint64_t seq) { return {"00112233445566778899aabbccddeeff", seq, ""}; }

}  // namespace

TEST_CASE("a held batch comes due once, and what is known of its refusals stays") {
  Waitlist list;
  CHECK(list.refused(key(1)) == 1);
  list.wait(key(1), 100, true);
  list.wait(key(2), 50, false);
  CHECK(list.held() == 1);
  CHECK(list.next_due_ms(0) == 50);
  CHECK(list.take_due(99).empty());
  CHECK(list.is_waiting(key(1), 99));
  CHECK(list.take_due(100) == std::vector<BatchKey>{key(1)});
  CHECK(list.take_due(100).empty());
  CHECK_FALSE(list.is_waiting(key(1), 100));
  CHECK(list.next_due_ms(100) == Waitlist::kNever);
  CHECK(list.refused(key(1)) == 2);
  list.ended(key(1));
  CHECK(list.refused(key(1)) == 1);
}

TEST_CASE("batches that vanished unseen do not fill the memory, and held ones are never forgotten") {
  Waitlist list;
  for (std::uint64_t seq = 1; seq <= 10; ++seq) list.wait(key(seq), 1, true);
  for (std::uint64_t seq = 11; seq <= 30'000; ++seq) {
    list.refused(key(seq));
    list.wait(key(seq), 1, false);
  }
  CHECK(list.held() == 10);
  CHECK(list.take_due(1).size() == 10);
  CHECK(list.refused(key(11)) == 1);      // forgotten: one more try
  CHECK(list.refused(key(30'000)) == 2);  // the newest are known
}
