#include <set>

#include "tests/core/server/store/store_fixture.h"
#include "tests/support/catch.h"

using namespace pganalytics;
using namespace pganalytics::testing;
using server::store::MetricsQuery;

namespace {

struct Archive : StoreFixture {
  std::string id = enrol();
  std::uint64_t next_seq = 1;

  // `count` documents of `type`, all with the same timestamp if step_ns is 0.
  void add(const std::string& type, int count, std::int64_t from_ns, std::int64_t step_ns) {
    std::vector<std::string> texts;
    for (int i = 0; i < count; ++i) texts.push_back("{\"seq\":" + std::to_string(next_seq) + ",\"i\":" + std::to_string(i) + "}");
    auto push = push_of(id, next_seq++, texts);
    for (auto& document : push.documents) {
      document.type = type;
      document.timestamp_unix_ns = from_ns + document.index * step_ns;
    }
    const auto stored = store().push(push);
    if (!stored) FAIL(stored.error().message);
  }

  server::store::MetricsPage page(const MetricsQuery& query) {
    auto found = store().metrics(query);
    if (!found) FAIL(found.error().message);
    return std::move(found).value();
  }

  [[nodiscard]] MetricsQuery all(std::uint32_t limit = 100) const {
    MetricsQuery query;
    query.collector_id = id;
    query.limit = limit;
    return query;
  }

  [[nodiscard]] bool refuses(MetricsQuery query, const std::string& cursor) {
    query.cursor = cursor;
    const auto found = store().metrics(query);
    return !found && found.error().status == PGA_E_CONFIG;
  }
};

}  // namespace

TEST_CASE("pages hold every document once, newest first, even where timestamps are equal") {
  Archive archive;
  archive.add("disk", 37, kStart, 0);
  archive.add("sysstat", 30, kStart, kSecond);
  for (const std::uint32_t limit : {1U, 7U, 66U, 67U, 68U, 1000U}) {
    INFO(limit);
    std::set<std::string> seen;
    const auto read = archive.read_all(archive.id, limit);
    for (std::size_t i = 0; i < read.size(); ++i) {
      seen.insert(read[i].document);
      if (i > 0) CHECK(read[i].timestamp_unix_ns <= read[i - 1].timestamp_unix_ns);
    }
    CHECK(read.size() == 67);
    CHECK(seen.size() == 67);
  }
}

TEST_CASE("a page that holds the last document has no next one") {
  Archive archive;
  CHECK(archive.page(archive.all()).documents.empty());
  CHECK(archive.page(archive.all()).next_cursor.empty());
  archive.add("disk", 10, kStart, kSecond);
  CHECK(archive.page(archive.all(10)).next_cursor.empty());
  const auto first = archive.page(archive.all(9));
  CHECK(first.documents.size() == 9);
  auto rest = archive.all(9);
  rest.cursor = first.next_cursor;
  CHECK(archive.page(rest).documents.size() == 1);
  CHECK(archive.page(rest).next_cursor.empty());
}

TEST_CASE("type and time choose; the end is not in the range") {
  Archive archive;
  archive.add("disk", 10, kStart, kSecond);
  archive.add("sysstat", 5, kStart, kSecond);
  auto query = archive.all();
  query.type = "disk";
  CHECK(archive.page(query).documents.size() == 10);
  query.type = "logs";
  CHECK(archive.page(query).documents.empty());
  query.type = "disk";
  query.from_unix_ns = kStart + 3 * kSecond;
  query.to_unix_ns = kStart + 6 * kSecond;
  const auto chosen = archive.page(query).documents;
  REQUIRE(chosen.size() == 3);
  CHECK(chosen.front().timestamp_unix_ns == kStart + 5 * kSecond);
  CHECK(chosen.back().timestamp_unix_ns == kStart + 3 * kSecond);
  const std::string neighbour = archive.enrol("db2");
  auto theirs = archive.all();
  theirs.collector_id = neighbour;
  CHECK(archive.page(theirs).documents.empty());
}

TEST_CASE("a list that is being read does not change while data arrives") {
  Archive archive;
  archive.add("disk", 30, kStart, kSecond);
  auto query = archive.all(7);
  std::set<std::string> before, read;
  for (const auto& document : archive.read_all(archive.id)) before.insert(document.document);
  std::size_t count = 0;
  do {
    const auto page = archive.page(query);
    for (const auto& document : page.documents) read.insert(document.document);
    count += page.documents.size();
    query.cursor = page.next_cursor;
    archive.add("disk", 5, kStart + 40 * kSecond, kSecond);  // newer than all
    archive.add("disk", 5, kStart, kSecond);                 // and among those still to be read
  } while (!query.cursor.empty());
  CHECK(count == 30);
  CHECK(read == before);
}

TEST_CASE("a cursor that was changed, made up, or belongs to another question is refused") {
  Archive archive;
  archive.add("disk", 10, kStart, kSecond);
  auto query = archive.all(3);
  const std::string cursor = archive.page(query).next_cursor;
  REQUIRE_FALSE(cursor.empty());
  for (std::size_t i = 0; i < cursor.size(); ++i) {
    std::string changed = cursor;
    changed[i] = changed[i] == 'A' ? 'B' : 'A';
    INFO(changed);
    CHECK(archive.refuses(query, changed));
  }
  for (const std::string& text : {std::string("x"), std::string("AAAA"), cursor + "A", cursor.substr(1), cursor + "=",
                                  std::string(5000, 'A'), std::string("'; DROP TABLE documents")}) {
    CHECK(archive.refuses(query, text));
  }
  auto other = query;
  other.type = "disk";
  CHECK(archive.refuses(other, cursor));
  other = query;
  other.from_unix_ns = kStart;
  CHECK(archive.refuses(other, cursor));
  other = query;
  other.to_unix_ns = kStart + 100 * kSecond;
  CHECK(archive.refuses(other, cursor));
  other = query;
  other.collector_id = archive.enrol("db2");
  CHECK(archive.refuses(other, cursor));
  query.limit = 5;  // how much at a time is no part of the question
  query.cursor = cursor;
  CHECK(archive.page(query).documents.size() == 5);
}

TEST_CASE("hostile words are words") {
  Archive archive;
  archive.add("disk", 1, kStart, 0);
  auto query = archive.all();
  query.type = "disk' OR '1'='1";
  CHECK(archive.page(query).documents.empty());
  query.type = std::string("disk\0x", 6);
  const auto found = archive.store().metrics(query);
  REQUIRE_FALSE(found);  // and not an answer about "disk"
  CHECK(found.error().status == PGA_E_CONFIG);
}
