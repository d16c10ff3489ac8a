#include "core/server/http/answer_text.h"

#include <array>
#include <ctime>
#include <ostream>  // Boost.Beast 1.74 uses it without saying so

#include <boost/beast/http/status.hpp>

namespace pganalytics::server::http {
namespace {

void add(std::string& text, std::string_view name, std::string_view value) {
  text.append(name).append(": ").append(value).append("\r\n");
}

// RFC 9110, section 5.6.7. Days and months by hand: strftime's are the locale's.
std::string http_date(std::int64_t unix_ns) {
  static constexpr std::array<const char*, 7> kDays = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  static constexpr std::array<const char*, 12> kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                          "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const std::time_t seconds = unix_ns / 1'000'000'000;
  std::tm time{};
  gmtime_r(&seconds, &time);
  std::array<char, 32> clock{};
  std::strftime(clock.data(), clock.size(), " %Y %H:%M:%S GMT", &time);
  const std::string day = (time.tm_mday < 10 ? "0" : "") + std::to_string(time.tm_mday);
  return std::string(kDays.at(static_cast<std::size_t>(time.tm_wday))) + ", " + day + " " +
         kMonths.at(static_cast<std::size_t>(time.tm_mon)) + clock.data();
}

}  // namespace

std::string answer_text(const Response& response, std::string_view request_id, bool head_only, bool keep_alive,
                        std::int64_t now_unix_ns) {
  const bool has_content = response.status != 204 && response.status != 304;
  const auto reason = boost::beast::http::obsolete_reason(static_cast<boost::beast::http::status>(response.status));
  std::string text;
  text.reserve(512 + (head_only ? 0 : response.body.size()));
  text.append("HTTP/1.1 ")
      .append(std::to_string(response.status))
      .append(" ")
      .append(reason.data(), reason.size())
      .append("\r\n");
  add(text, "Server", "pganalytics");
  add(text, "Date", http_date(now_unix_ns));
  if (!request_id.empty()) add(text, "X-Request-Id", request_id);
  bool says_caching = false;
  for (const auto& [name, value] : response.headers) {
    add(text, name, value);
    says_caching = says_caching || name == "Cache-Control";
  }
  if (!says_caching) add(text, "Cache-Control", "no-store");
  if (has_content) {
    add(text, "Content-Type", response.content_type);
    add(text, "X-Content-Type-Options", "nosniff");
    add(text, "Content-Length", std::to_string(response.body.size()));
  }
  if (!keep_alive) add(text, "Connection", "close");
  text.append("\r\n");
  if (has_content && !head_only) text.append(response.body);
  return text;
}

}  // namespace pganalytics::server::http
