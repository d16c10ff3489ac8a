#include "core/transport/exported_destination.h"

#include "core/spool/batch_documents.h"
#include "tests/core/transport/scripted_backend.h"
#include "tests/support/catch.h"
#include "tests/support/must.h"

#include <fstream>
#include <utility>

using namespace pganalytics;
using namespace pganalytics::transport;
using testing::HttpsServer;
using testing::must;
using testing::ScriptedAnswer;
using testing::SeenRequest;
using testing::TestAuthority;
using Verdict = PushAnswer::Verdict;

namespace {

// One request for each document; one that is a list cannot be read.
class EachDocument : public exporters::Exporter {
 public:
  exporters::ExportedBatch encode(const std::vector<exporters::Emitted>& emitted) override {
    const exporters::Emitted& all = emitted.at(0);
    exporters::ExportedBatch batch;
    for (const std::string& document : all.documents) {
      if (document == "[]") {
        ++batch.unreadable_documents;
      } else if (document != "{}") {
        batch.requests.push_back({"/write",
                                  {"X-Instance: " + all.collector + "/" + all.instance, "X-Time: " + std::to_string(all.unix_ns)},
                                  document});
      }
    }
    return batch;
  }
};

struct Engine {
  TestAuthority authority;
  testing::TemporaryFolder folder;
  HttpsServer server;

  explicit Engine(HttpsServer::Handler handler) : server({authority.issue_server(), authority.pem()}, std::move(handler)) {
    std::ofstream(folder / "ca.crt") << authority.pem();
  }
  std::unique_ptr<Destination> open() const {
    exporters::ExportTarget target;
    target.url = server.url() + "/prefix";
    target.ca_file = folder / "ca.crt";
    target.headers = {"Authorization: Bearer sesame"};
    return must(open_exported_destination("db1", std::move(target), std::make_unique<EachDocument>()));
  }
};

spool::Batch batch_of(const std::string& documents) {
  spool::Batch batch = testing::make_batch(1, R"({"collector_id":"x","metrics":[)" + documents + "]}");
  batch.encoding = compression::Encoding::kIdentity;
  batch.plugin = "acme@prod";
  batch.first_unix_ns = 5;
  batch.last_unix_ns = 7;
  return batch;
}

}  // namespace

TEST_CASE("a batch is acknowledged when each of its requests was taken") {
  const Engine engine([](const SeenRequest&) { return ScriptedAnswer{204, ""}; });
  const auto destination = engine.open();
  CHECK(destination->push(batch_of(R"({"n":1},{},{"n":"]}"})")).verdict == Verdict::kAcknowledged);
  const auto requests = engine.server.requests();
  REQUIRE(requests.size() == 2);
  CHECK(requests[0].path == "/prefix/write");
  CHECK(requests[0].body == R"({"n":1})");
  CHECK(requests[1].body == R"({"n":"]}"})");
  CHECK(requests[0].headers.at("authorization") == "Bearer sesame");
  CHECK(requests[0].headers.at("x-instance") == "db1/acme@prod");
  CHECK(requests[0].headers.at("x-time") == "7");
}

TEST_CASE("documents that cannot be read are counted, the others go out") {
  const Engine engine([](const SeenRequest&) { return ScriptedAnswer{204, ""}; });
  const PushAnswer answer = engine.open()->push(batch_of(R"([],{"n":1},[])"));
  CHECK(answer.verdict == Verdict::kAcknowledged);
  CHECK(answer.rejected == 2);
  CHECK(engine.server.requests().size() == 1);
}

TEST_CASE("nothing to send is acknowledged without a call") {
  const Engine engine([](const SeenRequest&) { return ScriptedAnswer{500, ""}; });
  CHECK(engine.open()->push(batch_of("{}")).verdict == Verdict::kAcknowledged);
  CHECK(engine.server.requests().empty());
}

TEST_CASE("the first request that is not taken decides, and those after it are not sent") {
  const Engine engine([](const SeenRequest& request) {
    return ScriptedAnswer{request.body == "{\"n\":2}" ? 400 : 200, "bad sample"};
  });
  const PushAnswer answer = engine.open()->push(batch_of(R"({"n":1},{"n":2},{"n":3})"));
  CHECK(answer.verdict == Verdict::kRefused);
  CHECK(answer.reason.find("bad sample") != std::string::npos);
  CHECK(engine.server.requests().size() == 2);
}

TEST_CASE("who is away is tried again later") {
  const Engine engine([](const SeenRequest&) {
    ScriptedAnswer lost;
    lost.hang_up = true;
    return lost;
  });
  const auto destination = engine.open();
  CHECK(destination->push(batch_of(R"({"n":1})")).verdict == Verdict::kRetry);
}

TEST_CASE("once interrupted it calls nobody") {
  const Engine engine([](const SeenRequest&) { return ScriptedAnswer{204, ""}; });
  const auto destination = engine.open();
  destination->interrupt();
  CHECK(destination->push(batch_of(R"({"n":1})")).verdict == Verdict::kRetry);
  CHECK(engine.server.requests().empty());
}

TEST_CASE("a batch that is none is refused, not sent") {
  const Engine engine([](const SeenRequest&) { return ScriptedAnswer{204, ""}; });
  spool::Batch batch = batch_of("");
  batch.body = "garbage";
  CHECK(engine.open()->push(batch).verdict == Verdict::kRefused);
  CHECK(engine.server.requests().empty());
}
