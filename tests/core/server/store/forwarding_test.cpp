// What is forwarded, in which order, and by whom.
#include "core/server/store/forward_line.h"

#include "core/postgres/connection.h"
#include "tests/core/server/store/store_fixture.h"
#include "tests/support/catch.h"
#include "tests/support/eventually.h"
#include "tests/support/must.h"

#include <thread>

using namespace pganalytics;
using namespace pganalytics::testing;
using server::store::ForwardLine;
using server::store::ForwardPush;

namespace {

const std::vector<std::string> kTexts = {R"({"type":"disk","n":1})"};

ForwardLine line_of(server::store::Store& store, const std::string& name = "engine") {
  auto line = must(store.forward_line(name));
  REQUIRE(line);
  CHECK(must(line->begin()) == 0);
  return std::move(*line);
}

void push(StoreFixture& fixture, const std::string& collector, std::uint64_t seq) {
  REQUIRE(must(fixture.store().push(push_of(collector, seq, kTexts))).kind == server::store::PushResult::Kind::kStored);
}

// The names of the collectors whose pushes come next.
std::vector<std::string> names(ForwardLine& line) {
  std::vector<std::string> names;
  for (const ForwardPush& push : must(line.next(100))) names.push_back(push.collector);
  return names;
}

void change(StoreFixture& fixture, const std::string& sql) { fixture.server().sql(fixture.database(), sql); }

using Names = std::vector<std::string>;

}  // namespace

TEST_CASE("a new destination begins with now, and goes on from where it was", "[forward]") {
  StoreFixture fixture;
  const std::string one = fixture.enrol("one"), two = fixture.enrol("two");
  push(fixture, one, 1);
  CHECK(fixture.value("select count(*) from pganalytics.forwardable") == "0");  // nobody is there to be forwarded to
  {
    ForwardLine line = line_of(fixture.store());
    CHECK(names(line).empty());
    push(fixture, one, 2);
    push(fixture, two, 1);
    const auto pushes = must(line.next(100));
    REQUIRE(pushes.size() == 2);
    CHECK(pushes[0].documents == 1);
    const auto documents = must(line.documents(pushes[0]));
    REQUIRE(documents.size() == 1);
    CHECK(documents[0].type == "disk");
    CHECK(documents[0].text == kTexts[0]);
    CHECK(must(line.next(1)).size() == 1);
    CHECK(line.move(pushes[0].place));
    CHECK(names(line) == Names{"two"});
    ForwardLine later = line_of(fixture.store(), "later");
    CHECK(names(later).empty());  // though the rows are there, for the first one
  }
  push(fixture, one, 3);
  ForwardLine again = line_of(fixture.store());
  CHECK(names(again) == Names{"two", "one"});
}

TEST_CASE("a push that began first and commits last is neither passed over nor overtaken", "[forward]") {
  StoreFixture fixture;
  const std::string late = fixture.enrol("late"), quick = fixture.enrol("quick");
  ForwardLine line = line_of(fixture.store());
  auto blocker = must(postgres::Connection::open(fixture.conninfo(), {}, postgres::deadline_in(std::chrono::seconds(10))));
  const auto soon = [] { return postgres::deadline_in(std::chrono::seconds(10)); };
  REQUIRE(blocker.execute("begin; select from pganalytics.collectors where id = '" + late + "' for no key update", soon()));
  std::thread pushing([&] { push(fixture, late, 1); });
  // It has written its documents, and waits for its collector's row.
  REQUIRE(eventually([&] {
    return fixture.value(
               "select count(*) from pg_stat_activity where wait_event_type = 'Lock' and query like '%collectors_pushed%'") ==
           "1";
  }));
  push(fixture, quick, 1);
  CHECK(fixture.value("select count(*) from pganalytics.forwardable") == "1");
  CHECK(names(line).empty());
  REQUIRE(blocker.execute("rollback", soon()));
  pushing.join();
  CHECK(names(line) == Names{"late", "quick"});
}

TEST_CASE("one of all servers has a destination, another when it is gone", "[forward]") {
  StoreFixture fixture;
  const auto other = fixture.open_again();
  {
    ForwardLine line = line_of(fixture.store());
    CHECK_FALSE(must(other->forward_line("engine")));
    CHECK(must(other->forward_line("another")));
  }
  REQUIRE(eventually([&] { return must(other->forward_line("engine")).has_value(); }));
  // Whoever lost its session can no longer say how far it is.
  ForwardLine line = line_of(fixture.store());
  change(fixture, "select pg_terminate_backend(pid) from pg_locks where locktype = 'advisory' and objsubid = 2");
  CHECK_FALSE(line.move({"1", "1"}));
  CHECK(fixture.value("select count(*) from pganalytics.forwards where xid = '1'") == "0");
}

TEST_CASE("what was refused is held while others go on, and is found again by the next server", "[forward]") {
  StoreFixture fixture;
  const std::string one = fixture.enrol("one"), two = fixture.enrol("two");
  {
    ForwardLine line = line_of(fixture.store());
    push(fixture, one, 1);
    push(fixture, two, 1);
    CHECK(line.hold(must(line.next(1)).at(0)));
    CHECK(names(line) == Names{"two"});
    CHECK(must(line.held(3'600'000, 10)).empty());
  }
  ForwardLine line = line_of(fixture.store());
  const auto held = must(line.held(0, 10));
  REQUIRE(held.size() == 1);
  CHECK(held[0].collector == "one");
  CHECK(must(line.documents(held[0])).size() == 1);
  change(fixture, "update pganalytics.forwards_held set refused_at = now() - interval '1 hour'");
  CHECK(must(line.held(60'000, 10)).size() == 1);
  CHECK(line.hold_again(held[0]));
  CHECK(must(line.held(60'000, 10)).empty());
  CHECK(line.release(held[0]));
  CHECK(must(line.held(0, 10)).empty());
  CHECK(names(line) == Names{"two"});
}

TEST_CASE("documents that are gone are missed, not passed over", "[forward]") {
  StoreFixture fixture;
  const std::string one = fixture.enrol("one");
  ForwardLine line = line_of(fixture.store());
  push(fixture, one, 1);
  change(fixture, "delete from pganalytics.documents");
  const auto pushes = must(line.next(10));
  REQUIRE(pushes.size() == 1);
  CHECK(pushes[0].documents == 1);
  CHECK(must(line.documents(pushes[0])).empty());
}

TEST_CASE("rows go when every destination has them, destinations when nobody has wanted them for a week", "[forward]") {
  StoreFixture fixture;
  const std::string one = fixture.enrol("one");
  ForwardLine fast = line_of(fixture.store(), "fast");
  {
    ForwardLine slow = line_of(fixture.store(), "slow");
    push(fixture, one, 1);
    push(fixture, one, 2);
    CHECK(fast.move(must(fast.next(10)).at(1).place));
    CHECK(fast.tidy());
    CHECK(fixture.value("select count(*) from pganalytics.forwardable") == "2");
    CHECK(slow.move(must(slow.next(10)).at(0).place));
  }
  CHECK(fast.tidy());
  CHECK(fixture.value("select count(*) from pganalytics.forwardable") == "1");
  change(fixture, "update pganalytics.forwards set seen_at = now() - interval '8 days'");
  CHECK(fast.tidy());  // and has been seen
  CHECK(fixture.value("select string_agg(name, ',') from pganalytics.forwards") == "fast");
  CHECK(fixture.value("select count(*) from pganalytics.forwardable") == "0");
  change(fixture, "update pganalytics.forwards set seen_at = now() - interval '8 days'");
  push(fixture, one, 3);
  must(fixture.store().expire());
  CHECK(fixture.value("select count(*) from pganalytics.forwards") == "0");
  CHECK(fixture.value("select count(*) from pganalytics.forwardable") == "0");
}

TEST_CASE("a database that was restored into another cluster begins with now, and says what it lost", "[forward]") {
  StoreFixture fixture;
  const std::string one = fixture.enrol("one");
  { ForwardLine line = line_of(fixture.store()); }
  push(fixture, one, 1);
  change(fixture,
         "update pganalytics.forwardable set xid = '900000000000'; update pganalytics.forwards set xid = '800000000000'");
  auto line = must(fixture.store().forward_line("engine"));
  REQUIRE(line);
  CHECK(must(line->begin()) == 1);
  push(fixture, one, 2);
  CHECK(names(*line) == Names{"one"});
}

TEST_CASE("a push waits for the first schema of its plugin, for a minute", "[forward]") {
  StoreFixture fixture;
  const std::string one = fixture.enrol("one");
  ForwardLine line = line_of(fixture.store());
  auto first = push_of(one, 1, kTexts);
  first.unread = {{"disk", std::string(64, 'a')}};
  must(fixture.store().push(first));
  CHECK(must(line.next(1)).at(0).waits);
  SECTION("it came") { change(fixture, "insert into pganalytics.schemas values ('disk', repeat('b', 64), '{}')"); }
  SECTION("it does not come") {
    change(fixture, "update pganalytics.forwardable set received_at = now() - interval '61 seconds'");
  }
  CHECK_FALSE(must(line.next(1)).at(0).waits);
}

TEST_CASE("of a plugin's schemas the newest counts", "[forward]") {
  StoreFixture fixture;
  change(fixture,
         "insert into pganalytics.schemas values ('disk', repeat('b', 64), '{}', now()), ('disk', repeat('a', 64), '{}', now() - "
         "interval '1 day'), "
         "('logs', repeat('c', 64), '{}', now())");
  ForwardLine line = line_of(fixture.store());
  const auto newest = must(line.newest_schemas());
  REQUIRE(newest.size() == 2);
  CHECK(newest[0] == std::pair<std::string, std::string>("disk", std::string(64, 'b')));
  CHECK(newest[1].first == "logs");
}
