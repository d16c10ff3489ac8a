#include "core/exporters/receiver.h"

#include "core/clock/clock.h"
#include "core/files/files.h"
#include "core/log/log.h"
#include "core/web/refusal.h"

#include <pganalytics/json.hpp>
#include <string_view>
#include <utility>

namespace pganalytics::exporters {

using web::Verdict;

ReceiverAnswer judge_receiver(const web::HttpAnswer& answer, std::int64_t now_unix_ns) {
  ReceiverAnswer judged;
  judged.http_status = answer.status;
  if (web::is_success(answer.status)) return judged;
  const Error error = web::refusal(answer, now_unix_ns);
  switch (answer.status) {
    case 400:
    case 409:
    case 422: judged.verdict = Verdict::kRefused; break;
    case 410: judged.verdict = Verdict::kNotThisApi; break;  // nobody deleted us there
    case 413: judged.verdict = Verdict::kTooLarge; break;
    default: judged.verdict = web::verdict_of(answer.status); break;
  }
  judged.retry_after_ms = error.retry_after_ms;
  judged.reason = error.message;
  if (web::problem_of(answer).message.empty() && !answer.body.empty()) {
    judged.reason += ": " + mend_utf8(std::string_view(answer.body).substr(0, web::kMessageBytesMax));
  }
  return judged;
}

Receiver::Receiver(std::unique_ptr<web::HttpClient> client, std::vector<std::string> headers)
    : client_(std::move(client)), headers_(std::move(headers)) {}

Expected<std::unique_ptr<Receiver>> Receiver::open(ExportTarget target) {
  web::HttpOptions http;
  http.url = std::move(target.url);
  http.may_be_plain_on_loopback = true;
  if (!target.ca_file.empty()) {
    PGA_TRY(http.ca_pem, files::read(target.ca_file));
  }
  http.proxy = std::move(target.proxy);
  http.timeout_ms = target.timeout_ms;
  http.user_agent = std::move(target.user_agent);
  PGA_TRY(auto client, web::HttpClient::open(std::move(http)));
  return std::unique_ptr<Receiver>(new Receiver(std::move(client), std::move(target.headers)));
}

ReceiverAnswer Receiver::send(const std::vector<ExportRequest>& requests, const Exporter& exporter) {
  ReceiverAnswer answer;
  for (const ExportRequest& request : requests) {
    const std::size_t done = answer.emitted_done;
    answer = send(request, exporter);
    const bool sent = answer.verdict == Verdict::kAcknowledged;
    answer.emitted_done = sent && request.emitted_done > 0 ? request.emitted_done : done;
    if (!sent) break;
  }
  return answer;
}

ReceiverAnswer Receiver::send(const ExportRequest& exported, const Exporter& exporter) {
  web::HttpRequest request;
  request.method = "POST";
  request.path = exported.path;
  request.headers = exported.headers;
  request.headers.insert(request.headers.end(), headers_.begin(), headers_.end());
  request.body = exported.body;
  const auto answered = client_->call(request);
  if (!answered) return {Verdict::kRetry, 0, answered.error().retry_after_ms, answered.error().message, 0};
  ReceiverAnswer answer = judge_receiver(*answered, clock::now_unix_ns());
  if (answer.verdict != Verdict::kAcknowledged) return answer;
  if (const std::string complaint = exporter.complaint_in(answered->body); !complaint.empty()) {
    log::warn("push: " + url() + " did not take all of a batch: " + complaint);
  }
  return answer;
}

}  // namespace pganalytics::exporters
