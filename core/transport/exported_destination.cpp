#include "core/transport/exported_destination.h"

#include "core/spool/batch_documents.h"

#include <utility>

namespace pganalytics::transport {
namespace {

class ExportedDestination : public Destination {
 public:
  ExportedDestination(std::string collector, std::unique_ptr<exporters::Receiver> receiver,
                      std::unique_ptr<exporters::Exporter> exporter)
      : collector_(std::move(collector)), receiver_(std::move(receiver)), exporter_(std::move(exporter)) {}

  PushAnswer push(const spool::Batch& batch) override {
    auto documents = spool::documents_in(batch);
    if (!documents) return unreadable(documents.error());
    const exporters::ExportedBatch exported =
        exporter_->encode({{collector_, batch.plugin, std::move(documents).value(), batch.last_unix_ns}});
    const exporters::ReceiverAnswer received = receiver_->send(exported.requests, *exporter_);
    PushAnswer answer;
    answer.verdict = received.verdict;
    answer.http_status = received.http_status;
    answer.retry_after_ms = received.retry_after_ms;
    answer.reason = received.reason;
    if (answer.verdict == PushAnswer::Verdict::kAcknowledged) answer.rejected = exported.unreadable_documents;
    return answer;
  }

  void interrupt() override { receiver_->interrupt(); }
  [[nodiscard]] const std::string& url() const override { return receiver_->url(); }

 private:
  // Not for anybody, then: as one that was refused it is tried once more and set aside.
  static PushAnswer unreadable(const Error& error) {
    PushAnswer answer;
    answer.verdict = PushAnswer::Verdict::kRefused;
    answer.reason = error.message;
    return answer;
  }

  const std::string collector_;
  const std::unique_ptr<exporters::Receiver> receiver_;
  const std::unique_ptr<exporters::Exporter> exporter_;
};

}  // namespace

Expected<std::unique_ptr<Destination>> open_exported_destination(std::string collector, exporters::ExportTarget target,
                                                                 std::unique_ptr<exporters::Exporter> exporter) {
  PGA_TRY(auto receiver, exporters::Receiver::open(std::move(target)));
  return std::unique_ptr<Destination>(
      std::make_unique<ExportedDestination>(std::move(collector), std::move(receiver), std::move(exporter)));
}

}  // namespace pganalytics::transport
