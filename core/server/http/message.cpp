#include "core/server/http/message.h"

#include <algorithm>
#include <pganalytics/json.hpp>

namespace pganalytics::server::http {

std::string_view Request::header(std::string_view lower_case_name) const {
  const auto found = headers.find(std::string(lower_case_name));
  return found == headers.end() ? std::string_view() : std::string_view(found->second);
}

std::optional<std::string_view> Request::query_value(std::string_view name) const {
  const auto found = std::find_if(query.begin(), query.end(), [&](const auto& pair) { return pair.first == name; });
  if (found == query.end()) return std::nullopt;
  return found->second;
}

Response Response::json(int status, std::string body) {
  Response response;
  response.status = status;
  response.body = std::move(body);
  return response;
}

Response Response::error(int status, std::string_view code, std::string_view message) {
  JsonWriter json;
  json.begin_object().key("error").begin_object();
  json.member("code", code).member("message", message);
  json.end_object().end_object();
  Response response = Response::json(status, std::string(json.text()));
  if (status == 401) response.headers.emplace_back("WWW-Authenticate", "Bearer");
  if (status == 429 || status == 503) response.headers.emplace_back("Retry-After", "1");
  return response;
}

Response Response::body_too_large(std::size_t max_bytes) {
  JsonWriter json;
  json.begin_object().key("error").begin_object().member("code", "body_too_large");
  json.member("message", "the body is larger than " + std::to_string(max_bytes) + " bytes").member("max_bytes", max_bytes);
  json.end_object().end_object();
  return Response::json(413, std::string(json.text()));
}

Response Response::with_header(std::string_view name, std::string value) && {
  const auto found = std::find_if(headers.begin(), headers.end(), [&](const auto& pair) { return pair.first == name; });
  if (found == headers.end()) {
    headers.emplace_back(name, std::move(value));
  } else {
    found->second = std::move(value);
  }
  return std::move(*this);
}

}  // namespace pganalytics::server::http
