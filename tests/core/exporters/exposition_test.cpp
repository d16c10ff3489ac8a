#include "core/exporters/exposition.h"

#include "tests/core/exporters/acme.h"
#include "tests/support/catch.h"

using namespace pganalytics;
using namespace pganalytics::exporters;
using namespace pganalytics::exporters_test;
using Catch::Contains;

namespace {

std::string queue(const std::string& name, const std::string& waiting) {
  return R"({"name":")" + name + R"(","waiting":)" + waiting + R"(,"delivered":1})";
}

bool shows(Exposition& exposition, std::int64_t now_ms, const std::string& sample) {
  return exposition.text(now_ms)->find(sample + "\n") != std::string::npos;
}

const std::string kMail = R"(acme_queue_waiting{collector="db1",name="mail",source="acme"})";
const std::string kNews = R"(acme_queue_waiting{collector="db1",name="news",source="acme"})";

}  // namespace

TEST_CASE("a row that did not change is shown as long as it is not stale, whatever other documents say") {
  Exposition exposition(options());  // 60 s
  exposition.take("acme", {document(queue("mail", "1") + "," + queue("news", "2"))}, 0);
  exposition.take("acme", {document(queue("mail", "5"))}, 30'000);
  CHECK(shows(exposition, 59'999, kMail + " 5"));
  CHECK(shows(exposition, 59'999, kNews + " 2"));
  CHECK(!shows(exposition, 61'000, kNews + " 2"));
  CHECK(shows(exposition, 61'000, kMail + " 5"));
  CHECK_THAT(*exposition.text(61'000), Contains("pganalytics_export_rows{collector=\"db1\"} 1\n"));
  CHECK_THAT(*exposition.text(91'000), Contains("pganalytics_export_rows{collector=\"db1\"} 0\n"));
}

TEST_CASE("what is null now has no value any more") {
  Exposition exposition(options());
  exposition.take("acme", {document(queue("mail", "1"))}, 0);
  exposition.take("acme", {document(queue("mail", "null"))}, 1);
  CHECK(exposition.text(2)->find("acme_queue_waiting") == std::string::npos);
  CHECK_THAT(*exposition.text(2), Contains("acme_queue_delivered_total"));
}

TEST_CASE("a counter that begins anew is shown as it is") {
  Exposition exposition(options());
  exposition.take("acme", {document(R"({"name":"mail","delivered":100})")}, 0);
  exposition.take("acme", {document(R"({"name":"mail","delivered":3})")}, 1);
  CHECK(shows(exposition, 2, R"(acme_queue_delivered_total{collector="db1",name="mail",source="acme"} 3)"));
}

TEST_CASE("memory is bounded: rows beyond it are left out and counted, those that are there go on") {
  ExpositionOptions small = options();
  small.bytes_max = 100'000;
  Exposition exposition(small);
  for (int i = 0; i < 10'000; ++i) exposition.take("acme", {document(queue("q" + std::to_string(i), "1"))}, i);
  const std::string text = *exposition.text(10'000);
  CHECK(text.size() < 200'000);
  CHECK_THAT(text, Contains("name=\"q0\""));
  CHECK_THAT(text, !Contains("pganalytics_export_dropped_rows_total{collector=\"db1\"} 0\n"));
  exposition.take("acme", {document(queue("q0", "7"))}, 10'001);
  CHECK(shows(exposition, 10'002, R"(acme_queue_waiting{collector="db1",name="q0",source="acme"} 7)"));
  // Room comes back when rows are stale.
  CHECK_THAT(*exposition.text(80'000), Contains("pganalytics_export_rows{collector=\"db1\"} 0\n"));
  exposition.take("acme", {document(queue("late", "8"))}, 80'001);
  CHECK(shows(exposition, 80'002, R"(acme_queue_waiting{collector="db1",name="late",source="acme"} 8)"));
}

TEST_CASE("only chosen families are shown") {
  ExpositionOptions chosen = options();
  chosen.families = {{"acme*", "other"}, {"*queue"}};
  Exposition none(chosen);
  none.take("acme", {document(queue("mail", "1"))}, 0);
  CHECK(none.text(0)->find("acme_queue") == std::string::npos);
  chosen.families = {{"*_queue"}, {}};
  none.use(chosen);
  none.take("acme", {document(queue("mail", "1"))}, 1);
  CHECK(shows(none, 2, kMail + " 1"));
}

TEST_CASE("other options take nothing away that is made of the same") {
  Exposition exposition(options());
  exposition.take("acme", {document(queue("mail", "1"))}, 0);
  ExpositionOptions longer = options();
  longer.stale_after_ms = 120'000;
  exposition.use(longer);
  CHECK(shows(exposition, 100'000, kMail + " 1"));
  longer.schemas.push_back({"other", "{}"});
  exposition.use(longer);
  CHECK(!shows(exposition, 100'001, kMail + " 1"));
}

TEST_CASE("other schemas free the room of the rows before; what was left out stays counted") {
  ExpositionOptions small = options();
  small.bytes_max = 500;
  Exposition exposition(small);
  exposition.take("acme", {document(queue("mail", "1") + "," + queue(std::string(5'000, 'x'), "1"))}, 0);
  exposition.take("acme", {document(queue("late", "1"))}, 0);
  const std::string dropped = R"(pganalytics_export_dropped_rows_total{collector="db1"} )";
  CHECK(shows(exposition, 0, dropped + "1"));
  small.schemas.push_back({"other", "{}"});
  exposition.use(small);
  exposition.take("acme", {document(queue("mail", "2") + "," + queue("late", "2"))}, 1);
  CHECK(shows(exposition, 2, kMail + " 2"));
  CHECK(shows(exposition, 2, dropped + "1"));
}

TEST_CASE("a document that is against its schema is counted, one of an unknown plugin is not ours") {
  Exposition exposition(options());
  exposition.take("acme", {document(queue("mail", "\"three\"")), document(queue("news", "1"))}, 0);
  exposition.take("unknown", {R"({"type":"unknown"})"}, 0);
  CHECK(shows(exposition, 1, kNews + " 1"));
  CHECK_THAT(*exposition.text(1), Contains("pganalytics_export_dropped_documents_total{collector=\"db1\"} 1\n"));
}

TEST_CASE("the text is made once for many scrapes, and anew when something is new or a second is over") {
  Exposition exposition(options());
  exposition.take("acme", {document(queue("mail", "1"))}, 0);
  const auto first = exposition.text(10);
  CHECK(exposition.text(20) == first);
  CHECK(exposition.text(1'010) != first);
  const auto second = exposition.text(1'020);
  exposition.take("acme", {document(queue("mail", "2"))}, 1'030);
  CHECK(exposition.text(1'040) != second);
}
