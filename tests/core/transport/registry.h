// A server that registers whoever comes, and what a collector asks of it.
#pragma once

#include "core/schema/json_text.h"
#include "core/transport/enrolment.h"
#include "tests/core/transport/scripted_backend.h"

#include <functional>
#include <pganalytics/json.hpp>
#include <string>

namespace pganalytics::testing {

inline std::string text_at(const std::string& json, const char* key) {
  const auto document = schema::parse_json(json);
  return document && document.value().HasMember(key) ? document.value()[key].GetString() : "";
}

// `mend` may spoil the answer.
class Registry {
 public:
  std::function<void(ScriptedAnswer&, int call)> mend = [](ScriptedAnswer&, int) {};

  Registry()
      : server_({authority_.issue_server(), authority_.pem()}, [this](const SeenRequest& request) { return answer(request); }) {}

  [[nodiscard]] transport::EnrolmentRequest request() const {
    transport::EnrolmentRequest request;
    request.backend_url = server_.url();
    request.token = "pge_one";
    request.ca_pin = authority_.pin();
    request.name = "db1";
    request.hostname = "db1.example";
    request.state_dir = folder_ / "state";
    return request;
  }

  [[nodiscard]] std::string body_with(const std::string& certificate, const std::string& ca) const {
    JsonWriter json;
    json.begin_object().member("id", kCollectorId).member("token", "t").member("expires_at", "2099-01-01T00:00:00Z");
    json.member("cert", certificate).member("ca", ca).end_object();
    return std::string(json.text());
  }

  TestAuthority authority_;
  TemporaryFolder folder_;
  int calls_ = 0;
  HttpsServer server_;

 private:
  ScriptedAnswer answer(const SeenRequest& request) {
    ScriptedAnswer answer{201, body_with(authority_.issue_client(text_at(request.body, "csr"), kCollectorId), authority_.pem())};
    mend(answer, ++calls_);
    return answer;
  }
};

}  // namespace pganalytics::testing
