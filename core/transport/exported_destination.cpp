#include "core/transport/exported_destination.h"

#include "core/clock/clock.h"
#include "core/files/files.h"
#include "core/log/log.h"
#include "core/spool/batch_documents.h"
#include "core/transport/answers.h"
#include "core/transport/http_client.h"

#include <utility>

namespace pganalytics::transport {
namespace {

class ExportedDestination : public Destination {
 public:
  ExportedDestination(std::unique_ptr<HttpClient> client, std::vector<std::string> headers,
                      std::unique_ptr<exporters::Exporter> exporter)
      : client_(std::move(client)), headers_(std::move(headers)), exporter_(std::move(exporter)) {}

  PushAnswer push(const spool::Batch& batch) override {
    const auto documents = spool::documents_in(batch);
    if (!documents) return unreadable(documents.error());
    const exporters::ExportedBatch exported = exporter_->encode(batch.plugin, *documents, batch.last_unix_ns);
    PushAnswer answer;
    answer.verdict = PushAnswer::Verdict::kAcknowledged;  // of a batch in which nothing is for this destination
    for (const exporters::ExportRequest& request : exported.requests) {
      answer = send(request);
      if (answer.verdict != PushAnswer::Verdict::kAcknowledged) return answer;
    }
    answer.rejected = exported.unreadable_documents;
    return answer;
  }

  void interrupt() override { client_->interrupt(); }
  [[nodiscard]] const std::string& url() const override { return client_->url(); }

 private:
  // Not for anybody, then: as one that was refused it is tried once more and set aside.
  static PushAnswer unreadable(const Error& error) {
    PushAnswer answer;
    answer.verdict = PushAnswer::Verdict::kRefused;
    answer.reason = error.message;
    return answer;
  }

  PushAnswer send(const exporters::ExportRequest& exported) {
    HttpRequest request;
    request.method = "POST";
    request.path = exported.path;
    request.headers = exported.headers;
    request.headers.insert(request.headers.end(), headers_.begin(), headers_.end());
    request.body = exported.body;
    const auto answered = client_->call(request);
    if (!answered) return judge_failure(answered.error());
    const PushAnswer answer = judge_export(*answered, clock::now_unix_ns());
    if (answer.verdict == PushAnswer::Verdict::kAcknowledged) {
      if (const std::string complaint = exporter_->complaint_in(answered->body); !complaint.empty()) {
        log::warn("push: " + url() + " did not take all of a batch: " + complaint);
      }
    }
    return answer;
  }

  const std::unique_ptr<HttpClient> client_;
  const std::vector<std::string> headers_;
  const std::unique_ptr<exporters::Exporter> exporter_;
};

}  // namespace

Expected<std::unique_ptr<Destination>> open_exported_destination(ExportTarget target,
                                                                 std::unique_ptr<exporters::Exporter> exporter) {
  HttpOptions http;
  http.url = std::move(target.url);
  http.may_be_plain_on_loopback = true;
  if (!target.ca_file.empty()) {
    PGA_TRY(http.ca_pem, files::read(target.ca_file));
  }
  http.proxy = std::move(target.proxy);
  http.timeout_ms = target.timeout_ms;
  http.user_agent = std::move(target.user_agent);
  PGA_TRY(auto client, HttpClient::open(std::move(http)));
  return std::unique_ptr<Destination>(
      std::make_unique<ExportedDestination>(std::move(client), std::move(target.headers), std::move(exporter)));
}

}  // namespace pganalytics::transport
