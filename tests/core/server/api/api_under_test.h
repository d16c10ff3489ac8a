// The API on a real database, with a real authority and signer; requests are values, sockets are not needed to ask it.
#pragma once

#include "core/server/api/api.h"
#include "tests/support/temporary_folder.h"

#include <rapidjson/document.h>

#include <memory>
#include <string>

namespace pganalytics::server::api {

// An enrolled collector, with what it needs to speak.
struct Collector {
  std::string id;
  http::PeerCertificate peer;
  std::string token;
};

class ApiUnderTest {
 public:
  // conninfo "": a fresh database of a PostgreSQL that all tests share.
  explicit ApiUnderTest(ApiOptions options = {}, const std::string& conninfo = {});

  // Admission and, if let in, the answer: as HttpsServer asks.
  http::Response ask(const http::Request& request);

  Collector enrol(const std::string& name = "db1");
  std::string registration_token(std::uint32_t uses = 1, const std::string& hostname_glob = {});
  std::string key(store::Role role);

  // Requests with the credentials of a collector, of a key, of nobody. target may have a query.
  static http::Request request(const std::string& method, const std::string& target, const std::string& body = {});
  static http::Request as(const Collector& collector, http::Request request);
  static http::Request with_key(const std::string& key, http::Request request);

  testing::TemporaryFolder folder;
  std::string database;  // its name, "" if conninfo was given
  std::unique_ptr<store::Store> store;
  std::unique_ptr<auth::Authority> authority;
  std::unique_ptr<auth::TokenSigner> signer;
  std::unique_ptr<Api> api;
};

rapidjson::Document parsed(const http::Response& response);  // fails the test if the body is not JSON
std::string error_code(const http::Response& response);      // of {"error":{"code",...}}; fails the test on another form
std::string error_message(const http::Response& response);
std::string header_of(const http::Response& response, const std::string& name);  // "" if absent

inline constexpr const char* kDocument = R"({"type":"sysstat","timestamp":"2026-02-03T04:05:06.789Z","cpu":0.5})";
inline constexpr const char* kEpoch = "0123456789abcdef0123456789abcdef";
inline constexpr const char* kNobody = "00000000-0000-4000-8000-000000000000";

}  // namespace pganalytics::server::api
