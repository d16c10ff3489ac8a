#include "core/server/program/traffic.h"

#include "core/log/log.h"
#include "core/server/api/routes.h"

#include <algorithm>
#include <string>
#include <vector>

namespace pganalytics::server::program {
namespace {

constexpr int kLeastStatus = 100, kMostStatus = 599;

}  // namespace

Traffic::Traffic() {
  routes_[""] = std::make_unique<OfRoute>();
  for (const api::Route& route : api::all_routes()) {
    auto& numbers = routes_[route.pattern];
    if (numbers == nullptr) numbers = std::make_unique<OfRoute>();  // several methods share a path
  }
}

void Traffic::note(const http::Answered& answered) {
  const auto found = routes_.find(answered.route);
  OfRoute& route = *(found == routes_.end() ? routes_.at("") : found->second);
  const int status = std::clamp(answered.status, kLeastStatus, kMostStatus);
  route.by_status.at(static_cast<std::size_t>(status - kLeastStatus)).fetch_add(1, std::memory_order_relaxed);
  route.durations.add(answered.took_ns);
  const bool is_wanted = log_all_;
  const bool is_fault = status >= 500 && status != 503;
  const log::Level level = is_fault ? log::Level::kWarn : is_wanted ? log::Level::kInfo : log::Level::kDebug;
  if (level > log::level()) return;
  const http::Request& request = answered.request;
  const auto& peer = request.peer ? request.peer : request.expired_peer;
  log::write(level, "request",
             {{"request_id", request.id},
              {"method", request.method},
              {"route", answered.route.empty() ? std::string_view("none") : answered.route},
              {"status", std::int64_t{answered.status}},
              {"took_us", answered.took_ns / 1'000},
              {"address", request.remote_address},
              {"collector", peer ? std::string_view(peer->collector_id) : std::string_view("none")}});
}

void Traffic::write(telemetry::MetricText& text) const {
  using Kind = telemetry::MetricText::Kind;
  std::vector<std::string_view> routes;
  for (const auto& [route, numbers] : routes_) routes.push_back(route);
  std::sort(routes.begin(), routes.end());
  const auto shown = [](std::string_view route) { return route.empty() ? std::string_view("none") : route; };
  text.begin("pganalytics_server_http_requests_total", Kind::kCounter, "Requests answered, by route and status.");
  for (const std::string_view route : routes) {
    const auto& by_status = routes_.at(route)->by_status;
    for (std::size_t i = 0; i < by_status.size(); ++i) {
      const std::uint64_t number = by_status[i].load(std::memory_order_relaxed);
      const std::string status = std::to_string(kLeastStatus + static_cast<int>(i));
      if (number > 0) text.sample({{"route", shown(route)}, {"status", status}}, static_cast<double>(number));
    }
  }
  text.begin("pganalytics_server_http_request_duration_seconds", Kind::kHistogram,
             "Time from the end of a request's header until its answer was ready, by route.");
  for (const std::string_view route : routes) {
    text.sample({{"route", shown(route)}}, routes_.at(route)->durations.snapshot());
  }
}

}  // namespace pganalytics::server::program
