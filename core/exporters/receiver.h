// An engine that is not ours, as whoever exports speaks with it: requests sent one after the other, and what became of them.
//
// The status alone says what became of a request: there is no acknowledgement to look for. Not here: what is sent (exporter.h),
// when to send it again (core/transport in the collector, core/server/forward in the server). [one thread at a time; interrupt()
// from any thread]
#pragma once

#include "core/exporters/exporter.h"
#include "core/web/http_client.h"
#include "core/web/verdict.h"

#include <cstdint>
#include <memory>
#include <pganalytics/expected.hpp>
#include <string>
#include <vector>

namespace pganalytics::exporters {

struct ExportTarget {
  std::string url;      // https, or http to a loopback address
  std::string ca_file;  // PEM bundle; with https only
  std::string proxy;
  std::vector<std::string> headers;  // of every request, "Name: value"
  std::int64_t timeout_ms = 30'000;
  std::string user_agent;
};

struct ReceiverAnswer {
  web::Verdict verdict = web::Verdict::kAcknowledged;
  int http_status = 0;              // 0: no answer, or nothing was sent
  std::int64_t retry_after_ms = 0;  // 0: the receiver did not say
  std::string reason;               // for the log
  std::size_t emitted_done = 0;     // of the requests that were sent with success (ExportRequest)
};

// Any 4xx without a rule of its own is about what was sent. The reason has what the body says, whatever it is. Pure. [any thread]
ReceiverAnswer judge_receiver(const web::HttpAnswer& answer, std::int64_t now_unix_ns);

class Receiver {
 public:
  // Does not connect. PGA_E_CONFIG: the URL or the bundle is not usable.
  static Expected<std::unique_ptr<Receiver>> open(ExportTarget target);

  // The first answer that is no success, and what comes after it is not sent; kAcknowledged if all were, or there is none.
  // `exporter` made the requests: what it finds in an answer to complain of is logged.
  ReceiverAnswer send(const std::vector<ExportRequest>& requests, const Exporter& exporter);

  // [any thread] The call under way and every later one fails within a second or so.
  void interrupt() { client_->interrupt(); }
  [[nodiscard]] const std::string& url() const { return client_->url(); }

 private:
  Receiver(std::unique_ptr<web::HttpClient> client, std::vector<std::string> headers);
  ReceiverAnswer send(const ExportRequest& request, const Exporter& exporter);

  const std::unique_ptr<web::HttpClient> client_;
  const std::vector<std::string> headers_;
};

}  // namespace pganalytics::exporters
