#include <array>
#include <atomic>
#include <mutex>
#include <thread>

#include "core/crypto/digest.h"
#include "tests/core/server/store/store_fixture.h"
#include "tests/support/catch.h"

using namespace pganalytics;
using namespace pganalytics::testing;
using server::store::PushResult;
using Kind = PushResult::Kind;

namespace {

PushResult pushed(server::store::Store& store, const server::store::Push& push) {
  const auto result = store.push(push);
  if (!result) FAIL(result.error().message);
  return result.value();
}

}  // namespace

TEST_CASE("what a push acknowledged is there for the next read, byte for byte") {
  StoreFixture fixture;
  const std::string id = fixture.enrol();
  const std::vector<std::string> texts = {
      R"({"type":"disk","n":18446744073709551615,"x":0.1,"y":1e400,"z":-0.0,"w":1.0})",
      R"({"backslash":"\\N \\. \\t","quote":"\"","newline":"a\nb\r\n","tab":"\t","nul":"\u0000","lone":"\ud800"})",
      "{\"utf8\":\"\xc3\xa4 \xe2\x82\xac \xf0\x9f\x98\x80\",\n\t \"spaced\" : [ ] }\r\n", R"({"key":1,"order":2,"a":3})", "{}"};
  const auto result = pushed(fixture.store(), push_of(id, 1, texts));
  CHECK(result.kind == Kind::kStored);
  CHECK(result.accepted == texts.size());
  const auto all = fixture.read_all(id);
  REQUIRE(all.size() == texts.size());
  for (std::size_t i = 0; i < texts.size(); ++i) {
    const auto& document = all[texts.size() - 1 - i];  // newest first
    CHECK(document.document == texts[i]);
    CHECK(document.index == i);
    CHECK(document.type == "disk");
    CHECK(document.epoch == kEpoch);
    CHECK(document.seq == 1);
    CHECK(document.timestamp_unix_ns == kStart + static_cast<std::int64_t>(i) * kSecond);
    CHECK(document.received_unix_ns > kStart);
  }
}

TEST_CASE("the same push again is a duplicate; the same number with other content a conflict; neither stores anything") {
  StoreFixture fixture;
  const std::string id = fixture.enrol();
  const std::vector<std::string> texts = {R"({"a":1})", R"({"a":2})"};
  const std::vector<std::string> others = {R"({"a":3})"};
  REQUIRE(pushed(fixture.store(), push_of(id, 7, texts)).kind == Kind::kStored);
  const auto again = pushed(fixture.store(), push_of(id, 7, texts));
  CHECK(again.kind == Kind::kDuplicate);
  CHECK(again.accepted == 2);
  CHECK(pushed(fixture.store(), push_of(id, 7, others)).kind == Kind::kConflict);
  CHECK(fixture.read_all(id).size() == 2);
  const auto row = fixture.store().collector(id);
  REQUIRE(row);
  CHECK(row.value().batches == 1);
  CHECK(row.value().documents == 2);
  CHECK(row.value().last_push_unix_ns > kStart);
  CHECK(row.value().version == "0.1.0");

  auto other_epoch = push_of(id, 7, others);
  other_epoch.epoch = "fedcba9876543210fedcba9876543210";
  CHECK(pushed(fixture.store(), other_epoch).kind == Kind::kStored);
  const std::string neighbour = fixture.enrol("db2");
  CHECK(pushed(fixture.store(), push_of(neighbour, 7, texts)).kind == Kind::kStored);
}

TEST_CASE("a bare document without key is stored each time it comes") {
  StoreFixture fixture;
  const std::string id = fixture.enrol();
  const std::vector<std::string> texts = {R"({"a":1})"};
  auto push = push_of(id, 0, texts);
  push.epoch.clear();
  CHECK(pushed(fixture.store(), push).kind == Kind::kStored);
  CHECK(pushed(fixture.store(), push).kind == Kind::kStored);
  const auto all = fixture.read_all(id);
  REQUIRE(all.size() == 2);
  CHECK(all[0].epoch.empty());
  CHECK(all[0].seq == 0);
}

TEST_CASE("a batch of which every document was refused still takes its number") {
  StoreFixture fixture;
  const std::string id = fixture.enrol();
  auto push = push_of(id, 1, {});
  push.rejected = 3;
  CHECK(pushed(fixture.store(), push).kind == Kind::kStored);
  CHECK(pushed(fixture.store(), push).kind == Kind::kDuplicate);
  CHECK(fixture.read_all(id).empty());
}

TEST_CASE("sixteen threads push overlapping keys: each batch is stored once, whole, and the counts are exact") {
  StoreFixture fixture;
  const std::string id = fixture.enrol();
  constexpr int kThreads = 16;
  constexpr int kBatches = 60;
  constexpr std::size_t kDocuments = 20;
  std::array<std::atomic<int>, kBatches> stored{};
  std::atomic<int> failed{0};
  std::mutex mutex;
  std::string failure;
  together(kThreads, [&](int thread) {
    for (int step = 0; step < kBatches; ++step) {
      // Half of them in step, so that keys truly meet; half from elsewhere, so that different keys meet too.
      const int batch = thread % 2 == 0 ? step : (step + thread * 7) % kBatches;
      std::vector<std::string> texts;
      for (std::size_t i = 0; i < kDocuments; ++i) {
        texts.push_back("{\"batch\":" + std::to_string(batch) + ",\"i\":" + std::to_string(i) + "}");
      }
      auto result = fixture.store().push(push_of(id, static_cast<std::uint64_t>(batch) + 1, texts));
      while (result && result->kind == Kind::kInProgress) {  // as a collector does, but without its second of patience
        std::this_thread::yield();
        result = fixture.store().push(push_of(id, static_cast<std::uint64_t>(batch) + 1, texts));
      }
      if (!result) {
        ++failed;
        const std::lock_guard lock(mutex);
        failure = result.error().message;
      } else if (result.value().kind == Kind::kStored) {
        ++stored[static_cast<std::size_t>(batch)];
      } else if (result.value().kind != Kind::kDuplicate || result.value().accepted != kDocuments) {
        ++failed;
      }
    }
  });
  INFO(failure);
  CHECK(failed == 0);
  for (const auto& times : stored) CHECK(times == 1);
  CHECK(fixture.read_all(id).size() == kBatches * kDocuments);
  const auto row = fixture.store().collector(id);
  REQUIRE(row);
  CHECK(row.value().batches == kBatches);
  CHECK(row.value().documents == kBatches * kDocuments);
}

TEST_CASE("a collector that is revoked stores nothing, though its push was let in before") {
  StoreFixture fixture;
  const std::string id = fixture.enrol();
  const std::vector<std::string> texts = {R"({"a":1})"};
  REQUIRE(fixture.store().push(push_of(id, 1, texts)));
  REQUIRE(fixture.store().revoke_collector(id));
  const auto refused = fixture.store().push(push_of(id, 2, texts));
  REQUIRE_FALSE(refused);
  CHECK(refused.error().status == PGA_E_DENIED);
  CHECK(fixture.value("SELECT count(*) FROM pganalytics.documents") == "1");
  CHECK(fixture.value("SELECT count(*) FROM pganalytics.batches") == "1");
}

TEST_CASE("a collector that is not known stores nothing, with a key or without") {
  StoreFixture fixture;
  const std::vector<std::string> texts = {R"({"a":1})"};
  auto push = push_of("6f9619ff-8b86-4d11-b42d-00c04fc964ff", 1, texts);
  CHECK_FALSE(fixture.store().push(push));
  push.epoch.clear();
  const auto bare = fixture.store().push(push);
  REQUIRE_FALSE(bare);
  CHECK(bare.error().status == PGA_E_DENIED);
  CHECK(fixture.value("SELECT count(*) FROM pganalytics.documents") == "0");
}

TEST_CASE("a document that PostgreSQL does not take leaves nothing of its push behind") {
  StoreFixture fixture;
  const std::string id = fixture.enrol();
  const std::vector<std::string> bad = {R"({"a":1})", "{not json"};
  const std::vector<std::string> good = {R"({"a":1})", "{}"};
  CHECK_FALSE(fixture.store().push(push_of(id, 1, bad)));
  CHECK(fixture.read_all(id).empty());
  CHECK(fixture.store().collector(id).value().batches == 0);
  CHECK(pushed(fixture.store(), push_of(id, 1, good)).kind == Kind::kStored);
}

TEST_CASE("a large push goes through whole") {
  StoreFixture fixture;
  const std::string id = fixture.enrol();
  const std::vector<std::string> texts(8, "{\"text\":\"" + std::string(1'000'000, 'x') + "\"}");
  CHECK(pushed(fixture.store(), push_of(id, 1, texts)).accepted == 8);
  const auto all = fixture.read_all(id, 3);
  REQUIRE(all.size() == 8);
  for (const auto& document : all) CHECK((document.document == texts[0]));
}
