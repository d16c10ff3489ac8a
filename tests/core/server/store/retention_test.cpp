// What is forgotten and when: documents by their collector's retention_days, whole partitions, batch numbers.
#include "core/files/files.h"
#include "tests/core/server/store/store_fixture.h"
#include "tests/support/catch.h"
#include "tests/support/must.h"

using namespace pganalytics;
using namespace pganalytics::testing;

namespace {

const std::vector<std::string> kTexts{R"({"n":1})", R"({"n":2})"};

struct Aging : StoreFixture {
  // What the collector sent was received so many days ago.
  void age(const std::string& collector_id, int days) {
    for (const char* table : {"documents", "batches"}) {
      server().sql(database(), "update pganalytics." + std::string(table) + " set received_at = now() - interval '" +
                                   std::to_string(days) + " days' where collector_id = '" + collector_id + "'");
    }
  }
  // As if the server had run then: a partition from the first to the second of so many days ago.
  void add_partition(int since_days_ago, int until_days_ago) {
    const std::string today = "(now() at time zone 'UTC')::date - ";
    server().sql(database(), "select pganalytics.add_document_partition(" + today + std::to_string(since_days_ago) + ", " +
                                 today + std::to_string(until_days_ago) + ")");
  }
  std::string partitions() { return value("select count(*) from pganalytics.document_partitions"); }
  // Round by round, as housekeeping does.
  server::store::Expired expire_all() {
    server::store::Expired all;
    for (;;) {
      const auto round = must(store().expire());
      if (!round.any()) return all;
      all.documents += round.documents;
      all.batches += round.batches;
      all.partition += round.partition;
    }
  }
};

}  // namespace

TEST_CASE("documents are kept for their collector's retention_days, 30 by default") {
  Aging fixture;
  const std::string plain = fixture.enrol("plain");
  const std::string brief = fixture.enrol("brief");
  const std::string lasting = fixture.enrol("lasting");
  REQUIRE(fixture.store().put_config(brief, R"({"retention_days":3650})"));
  REQUIRE(fixture.store().put_config(brief, R"({"retention_days":2})"));
  REQUIRE(fixture.store().put_config(lasting, R"({"retention_days":100})"));
  for (const std::string& id : {plain, brief, lasting}) REQUIRE(fixture.store().push(push_of(id, 1, kTexts)));

  fixture.age(plain, 29);
  fixture.age(brief, 1);
  fixture.age(lasting, 99);
  CHECK(fixture.expire_all().documents == 0);

  fixture.age(plain, 31);
  fixture.age(brief, 3);
  CHECK(fixture.expire_all().documents == 4);
  CHECK(fixture.read_all(plain).empty());
  CHECK(fixture.read_all(brief).empty());
  CHECK(fixture.read_all(lasting).size() == 2);
}

TEST_CASE("a partition is dropped whole when all in it is older than the longest retention in force") {
  Aging fixture;
  const std::string plain = fixture.enrol("plain"), lasting = fixture.enrol("lasting");
  REQUIRE(fixture.store().put_config(lasting, R"({"retention_days":60})"));
  for (const std::string& id : {plain, lasting}) REQUIRE(fixture.store().push(push_of(id, 1, kTexts)));
  fixture.add_partition(62, 61);
  fixture.add_partition(61, 60);
  fixture.age(plain, 61);
  fixture.age(lasting, 61);
  const std::string before = fixture.partitions();
  const auto expired = fixture.expire_all();
  CHECK(expired.partition.find("documents_until_") == 0);
  CHECK(expired.documents == 0);  // none by itself
  CHECK(fixture.read_all(plain).empty());
  CHECK(fixture.read_all(lasting).empty());
  // Today 60 days ago is over, too, so both went; those of the coming days are there.
  CHECK(std::stoi(fixture.partitions()) == std::stoi(before) - 2);
}

TEST_CASE("what lies in no partition of its day is forgotten all the same, a little later") {
  Aging fixture;
  const std::string id = fixture.enrol();
  REQUIRE(fixture.store().push(push_of(id, 1, kTexts)));
  fixture.age(id, 31);
  CHECK(fixture.value("select count(*) from pganalytics.documents_default") == "2");
  CHECK(fixture.expire_all().documents == 0);
  fixture.age(id, 33);
  CHECK(fixture.expire_all().documents == 2);
}

TEST_CASE("a large backlog goes in bounded rounds") {
  Aging fixture;
  const std::string brief = fixture.enrol("brief"), lasting = fixture.enrol("lasting");
  REQUIRE(fixture.store().put_config(brief, R"({"retention_days":1})"));
  REQUIRE(fixture.store().put_config(lasting, R"({"retention_days":3650})"));
  for (const std::string& id : {brief, lasting}) {
    fixture.server().sql(
        fixture.database(),
        "insert into pganalytics.documents (collector_id, type, ts, received_at, epoch, seq, index, document) select '" + id +
            "', 'disk', now(), now() - interval '2 days' - n * interval '1 second', '', n, 0, '{}' from generate_series(1, "
            "25000) n");
  }
  std::vector<std::int64_t> rounds;
  for (auto round = must(fixture.store().expire()); round.any(); round = must(fixture.store().expire()))
    rounds.push_back(round.documents);
  CHECK(rounds == std::vector<std::int64_t>{10'001, 10'001, 4'998});
  CHECK(fixture.value("select count(*) from pganalytics.documents where collector_id = '" + lasting + "'") == "25000");
}

TEST_CASE("a push finds its partition, made days ahead; one that has none goes into the default") {
  Aging fixture;
  CHECK(std::stoi(fixture.partitions()) >= 7);
  const std::string id = fixture.enrol();
  REQUIRE(fixture.store().push(push_of(id, 1, kTexts)));
  CHECK(fixture.value("select count(*) from pganalytics.documents_default") == "0");
  fixture.server().sql(fixture.database(), R"(do $$ declare name text; begin
    for name in select p.name from pganalytics.document_partitions p loop execute 'drop table pganalytics.' || name; end loop; end $$)");
  REQUIRE(fixture.store().push(push_of(id, 2, kTexts)));
  CHECK(fixture.value("select count(*) from pganalytics.documents_default") == "2");
  // From the next day on there are partitions again, made by whoever comes first.
  const auto other = fixture.open_again();
  must(other->expire());
  CHECK(std::stoi(fixture.partitions()) >= 6);
  REQUIRE(fixture.store().push(push_of(id, 3, kTexts)));
  CHECK(fixture.read_all(id).size() == 4);
}

TEST_CASE("however long documents are kept, partitions stay few") {
  Aging fixture;
  const std::string id = fixture.enrol();
  REQUIRE(fixture.store().put_config(id, R"({"retention_days":3650})"));
  fixture.server().sql(fixture.database(), "select pganalytics.make_document_partitions(3650, 3650 / 60)");
  CHECK(std::stoi(fixture.partitions()) < 80);
}

TEST_CASE("a list goes through all partitions, newest first, each by an index") {
  Aging fixture;
  const std::string id = fixture.enrol();
  for (int day = 20; day > 0; --day) fixture.add_partition(day, day - 1);
  fixture.server().sql(
      fixture.database(),
      "insert into pganalytics.documents (collector_id, type, ts, received_at, epoch, seq, index, document) select '" + id +
          "', 'disk', now() - n * interval '1 minute', now() - n * interval '1 minute', '', n, 0, json_build_object('n', n) "
          "from generate_series(1, 20000) n; analyze pganalytics.documents");
  const auto all = fixture.read_all(id, 900);
  REQUIRE(all.size() == 20000);
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (all[i].seq != i + 1) FAIL("document " << i << " has the number " << all[i].seq);
  }
  std::string page = files::read(std::string(PGANALYTICS_SOURCE_DIR) + "/core/server/store/queries/documents_page.sql").value();
  const std::string values[] = {"'" + id + "'", "'disk'", "null", "null", "1000000", "null", "0", "101"};
  for (int i = 0; i < 8; ++i) {
    const std::string name = "$" + std::to_string(i + 1);
    for (auto at = page.find(name); at != std::string::npos; at = page.find(name)) page.replace(at, name.size(), values[i]);
  }
  const std::string plan = fixture.value("explain (format json) " + page);
  CHECK(plan.find("Merge Append") != std::string::npos);
  CHECK(plan.find("Seq Scan") == std::string::npos);
  CHECK(plan.find("\"Sort\"") == std::string::npos);
}

TEST_CASE("of several servers one forgets at a time") {
  Aging fixture;
  const std::string id = fixture.enrol();
  REQUIRE(fixture.store().push(push_of(id, 1, kTexts)));
  fixture.age(id, 40);
  const auto other = fixture.open_again();
  std::int64_t gone[8] = {};
  together(8, [&](int i) { gone[i] = must((i % 2 == 0 ? fixture.store() : *other).expire()).documents; });
  std::int64_t sum = fixture.expire_all().documents;
  for (const std::int64_t each : gone) sum += each;
  CHECK(sum == 2);
}

TEST_CASE("a batch's number is remembered for 30 days, longer than any collector would send it again") {
  Aging fixture;
  const std::string id = fixture.enrol();
  REQUIRE(fixture.store().push(push_of(id, 1, kTexts)));
  fixture.age(id, 29);
  CHECK(fixture.expire_all().batches == 0);
  CHECK(fixture.store().push(push_of(id, 1, kTexts))->kind == server::store::PushResult::Kind::kDuplicate);
  fixture.age(id, 31);
  CHECK(fixture.expire_all().batches == 1);
  CHECK(fixture.value("select count(*) from pganalytics.batches") == "0");
}
