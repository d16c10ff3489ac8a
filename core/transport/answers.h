// What the server's answers mean: status, headers and JSON body in, a typed answer or the reason why it is none out.
//
// Everything here is foreign bytes: a captive portal, a proxy's page or a broken server must never look like success. Pure
// functions. [any thread]
#pragma once

#include "core/transport/backend.h"
#include "core/web/http_client.h"

#include <cstdint>
#include <pganalytics/expected.hpp>
#include <string>

namespace pganalytics::transport {

struct CallTimes {
  std::int64_t sent_unix_ns = 0, answered_unix_ns = 0;
};

// The response table of a push (docs/DELIVERY.md). `key` is the Idempotency-Key that was sent.
PushAnswer judge_push(const web::HttpAnswer& answer, const std::string& key, const CallTimes& times);
// The same table for a call that got no answer, or for one whose access token could not be had.
PushAnswer judge_failure(const Error& error);

struct TokenAnswer {
  std::string token;
  std::int64_t life_ms = 0;  // from the moment of the answer; 0 if over already
};
Expected<TokenAnswer> read_token(const web::HttpAnswer& answer, std::int64_t now_unix_ns);

// 200 with whatever the server says is a configuration, 304 with none.
Expected<ConfigAnswer> read_config(const web::HttpAnswer& answer, std::int64_t now_unix_ns);

struct EnrolmentAnswer {
  std::string collector_id, certificate_pem, ca_pem, expires_at;
};
Expected<EnrolmentAnswer> read_enrolment(const web::HttpAnswer& answer, std::int64_t now_unix_ns);

// The certificate out of {"cert", "ca"}.
Expected<std::string> read_certificate(const web::HttpAnswer& answer, std::int64_t now_unix_ns);

// The CA certificates out of {"ca"}, as the text that they are.
Expected<std::string> read_ca(const web::HttpAnswer& answer, std::int64_t now_unix_ns);

// "0192f0c1-...": the text form of a UUID (RFC 9562), lower case.
bool is_uuid(std::string_view text);
// An entity tag as this client stores and sends back: quoted, short, visible ASCII. No header can be smuggled in by it.
bool is_etag(std::string_view text);

}  // namespace pganalytics::transport
