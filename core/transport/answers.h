// What the server's answers mean: status, headers and JSON body in, a typed answer or the reason why it is none out.
//
// Everything here is foreign bytes: a captive portal, a proxy's page or a broken server must never look like success. Pure
// functions. [any thread]
#pragma once

#include "core/transport/backend.h"
#include "core/transport/http_client.h"

#include <cstdint>
#include <pganalytics/expected.hpp>
#include <string>

namespace pganalytics::transport {

struct CallTimes {
  std::int64_t sent_unix_ns = 0, answered_unix_ns = 0;
};

// The response table of a push (docs/DELIVERY.md). `key` is the Idempotency-Key that was sent.
PushAnswer judge_push(const HttpAnswer& answer, const std::string& key, const CallTimes& times);
// The same table for a call that got no answer, or for one whose access token could not be had.
PushAnswer judge_failure(const Error& error);

// The same table for receivers that only answer with a status (remote write, OTLP): a 2xx is success, any 4xx without a rule of
// its own is about the batch. The reason has what the body says, whatever it is.
PushAnswer judge_export(const HttpAnswer& answer, std::int64_t now_unix_ns);

struct TokenAnswer {
  std::string token;
  std::int64_t life_ms = 0;  // from the moment of the answer; 0 if over already
};
Expected<TokenAnswer> read_token(const HttpAnswer& answer, std::int64_t now_unix_ns);

// 200 with whatever the server says is a configuration, 304 with none.
Expected<ConfigAnswer> read_config(const HttpAnswer& answer, std::int64_t now_unix_ns);

struct EnrolmentAnswer {
  std::string collector_id, certificate_pem, ca_pem, expires_at;
};
Expected<EnrolmentAnswer> read_enrolment(const HttpAnswer& answer, std::int64_t now_unix_ns);

// The certificate out of {"cert", "ca"}.
Expected<std::string> read_certificate(const HttpAnswer& answer, std::int64_t now_unix_ns);

// The CA certificates out of {"ca"}, as the text that they are.
Expected<std::string> read_ca(const HttpAnswer& answer, std::int64_t now_unix_ns);

// An answer that is no success as an Error: PGA_E_DENIED for 401, 403 and 410, PGA_E_NOTFOUND for 404, PGA_E_TRANSIENT for what
// may pass, PGA_E_FAIL else; code "http.<status>"; the server's own message; its Retry-After.
Error refusal(const HttpAnswer& answer, std::int64_t now_unix_ns);

// "0192f0c1-...": the text form of a UUID (RFC 9562), lower case.
bool is_uuid(std::string_view text);
// An entity tag as this client stores and sends back: quoted, short, visible ASCII. No header can be smuggled in by it.
bool is_etag(std::string_view text);

}  // namespace pganalytics::transport
