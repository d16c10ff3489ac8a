#include "tests/core/server/forward/forwarding_fixture.h"

#include "core/files/files.h"
#include "tests/core/exporters/acme.h"
#include "tests/support/must.h"

#include <regex>
#include <stdexcept>

namespace pganalytics::testing {
namespace {

std::vector<std::string> queues_in(const std::string& body) {
  static const std::regex kName(R"re("key":"name","value":\{"stringValue":"([a-z0-9]+)x*"\}\}\],"timeUnixNano")re");
  std::vector<std::string> queues;
  for (std::sregex_iterator each(body.begin(), body.end(), kName), end; each != end; ++each) queues.push_back((*each)[1]);
  return queues;
}

}  // namespace

ForwardingFixture::ForwardingFixture(server::forward::DeliveryTimes times) : times_(times) {
  receiver_ = std::make_unique<HttpsServer>(HttpsServerOptions{authority_.issue_server(), authority_.pem()},
                                            [this](const SeenRequest& request) {
                                              const int answered = status(request.body);
                                              if (answered == 200) {
                                                const std::lock_guard lock(mutex_);
                                                for (auto& queue : queues_in(request.body)) taken_.push_back(std::move(queue));
                                              }
                                              return ScriptedAnswer{answered, "{}"};
                                            });
  must(files::write_atomically(folder_ / "ca.crt", authority_.pem(), 0600));
  exporters::ExportTarget target;
  target.url = receiver_->url();
  target.ca_file = folder_ / "ca.crt";
  client_ = must(exporters::Receiver::open(std::move(target)));
  change("insert into pganalytics.schemas (plugin, sha256, schema) values ('acme', repeat('a', 64), $$" +
         std::string(exporters_test::kAcmeSchema) + "$$)");
  restart();
  turn();
}

void ForwardingFixture::restart() {
  server::forward::Destination destination;
  destination.name = "engine";
  destination.receiver.protocol = config::ReceiverConfig::Protocol::kOtlp;
  delivery_.reset();
  // The session of the one before may take a moment to end.
  counters.active = false;
  delivery_ = std::make_unique<server::forward::Delivery>(store_.store(), destination, *client_, counters,
                                                          server::forward::Delivery::Stop{-1, stopping_}, times_);
  for (int tries = 0; tries < 1'000 && !counters.active; ++tries) turn();
  if (!counters.active) throw std::runtime_error("the destination is not to be had");
}

void ForwardingFixture::push(const std::string& collector, const std::vector<std::string>& queues) {
  if (collectors_.count(collector) == 0) collectors_[collector] = store_.enrol(collector);
  std::vector<std::string> texts;
  for (const std::string& queue : queues) texts.push_back(exporters_test::document(R"({"name":")" + queue + R"(","waiting":1})"));
  server::store::Push push = push_of(collectors_[collector], ++seq_, texts);
  for (server::store::DocumentRow& document : push.documents) document.type = "acme";
  must(store_.store().push(push));
}

void ForwardingFixture::turn_until_idle() {
  while (turn() == 0) {
  }
}

std::vector<std::string> ForwardingFixture::taken() const {
  const std::lock_guard lock(mutex_);
  return taken_;
}

}  // namespace pganalytics::testing
