#include "core/collector/remote_mailbox.h"

#include "tests/support/catch.h"

using namespace pganalytics;

TEST_CASE("the newest document is handed over, once") {
  auto signals = collector::WakeSignals::install();
  REQUIRE(signals);
  collector::RemoteMailbox mailbox(*signals);
  CHECK_FALSE(mailbox.take());
  mailbox.config_pulled("1", "a");
  mailbox.config_pulled("2", "b");
  const auto document = mailbox.take();
  REQUIRE(document);
  CHECK(document->body == "2");
  CHECK(document->etag == "b");
  CHECK_FALSE(mailbox.take());
}
