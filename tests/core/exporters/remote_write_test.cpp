#include "core/exporters/remote_write.h"

#include "tests/core/exporters/acme.h"
#include "tests/support/catch.h"

#include <snappy.h>

#include <protozero/pbf_reader.hpp>
#include <set>
#include <sstream>

using namespace pganalytics;
using namespace pganalytics::exporters;
using namespace pganalytics::exporters_test;

namespace {

// name=value of a Label.
std::string label_of(protozero::pbf_reader label) {
  std::string name, value;
  while (label.next()) {
    std::string& text = label.tag() == 1 ? name : value;
    text = label.get_string();
  }
  return name + "=" + value;
}

// "labels... value @ms" of a TimeSeries, as prompb/types.proto has it.
std::string series_of(protozero::pbf_reader series) {
  std::ostringstream line;
  while (series.next()) {
    if (series.tag() == 1) {
      line << label_of(series.get_message()) << " ";
      continue;
    }
    protozero::pbf_reader sample = series.get_message();
    double value = 0;
    std::int64_t ms = 0;
    while (sample.next()) sample.tag() == 1 ? void(value = sample.get_double()) : void(ms = sample.get_int64());
    line << value << " @" << ms;
  }
  return line.str();
}

std::vector<std::string> series_in(const ExportRequest& request) {
  std::string message;
  REQUIRE(snappy::Uncompress(request.body.data(), request.body.size(), &message));
  std::vector<std::string> all;
  protozero::pbf_reader reader(message);
  while (reader.next(1)) all.push_back(series_of(reader.get_message()));
  return all;
}

std::vector<std::string> series_in(const ExportedBatch& batch) {
  std::vector<std::string> all;
  for (const ExportRequest& request : batch.requests) {
    for (std::string& series : series_in(request)) all.push_back(std::move(series));
  }
  return all;
}

RemoteWrite writer() { return RemoteWrite(acme(), {}); }

}  // namespace

TEST_CASE("a row's numbers are series with the time of the row, labels sorted") {
  RemoteWrite remote = writer();
  const ExportedBatch batch =
      remote.encode(of_db1("acme@prod", {document(R"({"name":"mail","waiting":3,"age_ms":1500,"owner":"ann"},
                                {"timestamp":"2026-02-03T04:05:06.100Z","name":"news","waiting":null,"is_open":true})")},
                           0));
  REQUIRE(batch.requests.size() == 1);
  CHECK(batch.unreadable_documents == 0);
  const std::string target = "collector=db1 instance=db1 job=pganalytics ";
  CHECK(series_in(batch) ==
        std::vector<std::string>{"__name__=acme_queue_is_open " + target + "name=news source=acme@prod 1 @1770091506100",
                                 "__name__=acme_queue_waiting " + target + "name=mail source=acme@prod 3 @1770091506500",
                                 "__name__=acme_queue_age_seconds " + target + "name=mail source=acme@prod 1.5 @1770091506500"});
  const std::set<std::string> headers(batch.requests[0].headers.begin(), batch.requests[0].headers.end());
  CHECK(headers == std::set<std::string>{"Content-Type: application/x-protobuf", "Content-Encoding: snappy",
                                         "X-Prometheus-Remote-Write-Version: 0.1.0"});
}

TEST_CASE("what says no time has the batch's") {
  RemoteWrite remote = writer();
  const auto series = series_in(remote.encode(of_db1("acme", {R"({"queues":[{"name":"mail","waiting":3}]})"}, 5'000'000'000)));
  REQUIRE(series.size() == 1);
  CHECK(series[0].find(" 3 @5000") != std::string::npos);
}

TEST_CASE("samples of a series come in the order of their times, and none contradicts another") {
  RemoteWrite remote = writer();
  const auto series = series_in(
      remote.encode(of_db1("acme",
                           {document(R"({"name":"mail","waiting":2})", "2026-02-03T04:05:08Z"),
                            document(R"({"name":"mail","waiting":1},{"name":"mail","waiting":9})", "2026-02-03T04:05:07Z")},
                           0)));
  REQUIRE(series.size() == 2);
  CHECK(series[0].find(" 1 @1770091507000") != std::string::npos);
  CHECK(series[1].find(" 2 @1770091508000") != std::string::npos);
}

TEST_CASE("rows of two families may have the same labels and time") {
  const std::string rows = R"({"type":"array","x-family":")";
  const std::string of = R"(","items":{"type":"object","additionalProperties":false,"properties":{)"
                         R"("n":{"type":"integer","x-kind":"gauge","x-unit":"1"}}}})";
  const std::string schema = R"({"type":"object","additionalProperties":false,"properties":{"a":)" + rows + "acme_a" + of +
                             R"(,"b":)" + rows + "acme_b" + of + "}}";
  RemoteWrite remote({{"acme", schema}}, {});
  CHECK(series_in(remote.encode(of_db1("acme", {R"({"a":[{"n":1}],"b":[{"n":2}]})"}, 0))).size() == 2);
}

TEST_CASE("the same batch comes to the same bytes") {
  RemoteWrite first = writer(), second = writer();
  const std::vector<std::string> documents = {document(R"({"name":"mail","waiting":3})")};
  CHECK(first.encode(of_db1("acme", documents, 0)).requests.at(0).body ==
        second.encode(of_db1("acme", documents, 0)).requests.at(0).body);
}

TEST_CASE("large batches go in several requests, whole") {
  std::string queues;
  for (int i = 0; i < 6'000; ++i) {
    queues += std::string(i == 0 ? "" : ",") + R"({"name":"q)" + std::to_string(i) + R"(","waiting":1,"delivered":2})";
  }
  RemoteWrite remote = writer();
  const ExportedBatch batch = remote.encode(of_db1("acme", {document(queues)}, 0));
  CHECK(batch.requests.size() == 2);
  const auto series = series_in(batch);
  CHECK(series.size() == 12'000);
  CHECK(std::set<std::string>(series.begin(), series.end()).size() == 12'000);
}

TEST_CASE("a document that cannot be read keeps nobody else away; nothing to send is no request") {
  RemoteWrite remote = writer();
  const ExportedBatch batch = remote.encode(
      of_db1("acme", {document(R"({"name":"mail","waiting":"x"})"), "[", document(R"({"name":"news","waiting":1})")}, 0));
  CHECK(batch.unreadable_documents == 2);
  CHECK(series_in(batch).size() == 1);
  CHECK(remote.encode(of_db1("acme", {document("")}, 0)).requests.empty());
  CHECK(remote.encode(of_db1("unknown", {R"({"type":"unknown","n":1})"}, 0)).requests.empty());
}

TEST_CASE("hostile labels are bytes of their field") {
  RemoteWrite remote = writer();
  const auto series = series_in(remote.encode(of_db1("acme", {document("{\"name\":\"a\\u0000\\n\\\"\xff\",\"waiting\":1}")}, 0)));
  REQUIRE(series.size() == 1);
  CHECK(series[0].find(std::string("name=a\0\n\"\xEF\xBF\xBD source=", 20)) != std::string::npos);
}
