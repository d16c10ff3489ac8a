// GET /api/v1/events: log entries and errors, newest first, page by page.
#include <algorithm>
#include <pganalytics/json.hpp>

#include "core/clock/clock.h"
#include "core/server/api/api.h"
#include "core/server/api/parameter_text.h"
#include "core/server/api/problem.h"
#include "core/server/api/resources.h"
#include "core/server/api/routes.h"
#include "core/server/query/matchers.h"

namespace pganalytics::server::api {
namespace {

using http::Response;
using Is = store::LabelMatch::Is;

constexpr std::uint32_t kPage = 100, kPageMax = 1'000;
constexpr std::uint32_t kFamiliesMax = 1'000;
constexpr std::int64_t kTextRangeNs = 31LL * 86'400 * 1'000'000'000;  // that text is looked for in
// As for documents (metrics.cpp): a page is read in pieces and ends early when its text is this long.
constexpr std::size_t kPageBytes = 16u << 20;
constexpr std::uint32_t kPieceEvents = 100;

struct Asked {
  std::string family;
  std::vector<query::Matcher> labels;  // as given; class and severity, which not every family has
  std::vector<query::Matcher> others;
  store::EventsQuery query;
};

Outcome read_range(const http::Request& request, store::EventsQuery& query) {
  PGA_TRY(query.from_unix_ns, read_time(request, "from"));
  PGA_TRY(query.to_unix_ns, read_time(request, "to"));
  if (query.from_unix_ns && query.to_unix_ns && *query.from_unix_ns > *query.to_unix_ns)
    return refused("from", "is later than \"to\"");
  if (query.text.empty()) return {};
  if (!query.from_unix_ns) return refused("from", "is missing; text is looked for in a range of time only");
  if (query.to_unix_ns.value_or(clock::now_unix_ns()) - *query.from_unix_ns > kTextRangeNs)
    return refused("from", "the range is longer than 31 days; text is looked for in a shorter one");
  return {};
}

Expected<Asked> read(const http::Request& request) {
  PGA_CHECK(check_parameters(request,
                             {"family", "collector", "class", "severity", "labels", "text", "from", "to", "limit", "cursor"},
                             query::kMatchersBytes));
  Asked asked;
  asked.family = word_of(request, "family");
  auto matchers = query::parse_matchers(word_of(request, "labels"));
  if (!matchers) return refused("labels", matchers.error().message);
  asked.labels = std::move(matchers).value();
  for (const char* label : {"class", "severity"}) {
    if (std::string value = word_of(request, label); !value.empty())
      asked.others.push_back({label, Is::kEqual, std::move(value)});
  }
  asked.query.collector = word_of(request, "collector");
  asked.query.text = word_of(request, "text");
  PGA_CHECK(read_range(request, asked.query));
  PGA_TRY(asked.query.limit, read_limit(request, kPage, kPageMax));
  asked.query.cursor = word_of(request, "cursor");
  return asked;
}

// What the matchers ask of a family; nullopt if none of its events can fit. A label that it does not have is "".
std::optional<store::EventFamily> fitting(const store::FamilyInfo& family, const std::vector<query::Matcher>& matchers) {
  store::EventFamily fits{family.id, {}};
  for (const query::Matcher& matcher : matchers) {
    const bool is_pattern = matcher.is == Is::kLike || matcher.is == Is::kNotLike;
    std::string value = is_pattern ? query::like_pattern(matcher.value) : matcher.value;
    const store::FamilyMember* const label = store::find_member(family.labels, matcher.label);
    // Position 0 is of no label, so that PostgreSQL compares with "".
    fits.matches.push_back({label == nullptr ? 0 : label->position, matcher.is, std::move(value)});
    if (label == nullptr && matcher.is == Is::kEqual && !matcher.value.empty()) return std::nullopt;
  }
  return fits;
}

// A typing error would find nothing, and look like good news.
Outcome check_labels(const std::vector<query::Matcher>& matchers, const std::vector<store::FamilyInfo>& families) {
  if (families.empty()) return {};
  std::vector<std::string> known;
  for (const store::FamilyInfo& family : families) {
    for (const store::FamilyMember& label : family.labels) known.push_back(label.name);
  }
  for (const query::Matcher& matcher : matchers) {
    if (std::find(known.begin(), known.end(), matcher.label) == known.end())
      return refused_word("labels", "no such events have a label \"" + matcher.label + "\"", matcher.label, known);
  }
  return {};
}

Response refusal_of(const Error& error) {
  if (error.status == PGA_E_CONFIG) return bad_request("bad_parameter", "cursor: is not from this list");
  return costly_or(error, "read events");
}

void write(JsonWriter& json, const store::Event& event, const std::vector<store::FamilyInfo>& families) {
  const auto family =
      std::find_if(families.begin(), families.end(), [&](const auto& each) { return each.id == event.family_id; });
  json.begin_object().member("time", clock::format_rfc3339(event.unix_ns)).member("family", family->view);
  json.key("collector").begin_object().member("id", event.collector_id).member("name", event.collector_name).end_object();
  json.key("event").json(event.json).end_object();
}

// Of all plugins, or the one that is named.
Expected<std::vector<store::FamilyInfo>> event_families(store::Store& store, const std::string& name) {
  std::vector<store::FamilyInfo> families;
  if (!name.empty()) {
    PGA_TRY(families.emplace_back(), store.family(name));
    return families;
  }
  std::string after;
  do {
    PGA_TRY(store::FamiliesPage page, store.families({}, after, kFamiliesMax));
    for (store::FamilyInfo& family : page.families) {
      if (family.is_events) families.push_back(std::move(family));
    }
    after = page.next;
  } while (!after.empty());
  return families;
}

Response page_of(store::Store& store, store::EventsQuery query, const std::vector<store::FamilyInfo>& families) {
  JsonWriter json;
  json.begin_object().key("events").begin_array();
  std::uint32_t wanted = query.limit;
  do {
    query.limit = std::min(wanted, kPieceEvents);
    const auto piece = store.events(query);
    if (!piece) return refusal_of(piece.error());
    for (const store::Event& event : piece.value().events) write(json, event, families);
    query.cursor = piece.value().next_cursor;
    wanted -= query.limit;
  } while (wanted > 0 && !query.cursor.empty() && json.text().size() < kPageBytes);
  json.end_array();
  if (!query.cursor.empty()) json.member("next_cursor", query.cursor);
  json.end_object();
  return Response::json(200, std::string(json.text()));
}

}  // namespace

Response serve_events(const Call& call) {
  store::Store& store = call.services.store;
  auto asked = read(call.request);
  if (!asked) return bad_request("bad_parameter", asked.error().message);
  const auto families = event_families(store, asked->family);
  if (!families && families.error().status == PGA_E_NOTFOUND) return no_such_family(store, asked->family);
  if (!families) return problem("look up families of events", families.error());
  if (!asked->family.empty() && !families.value().front().is_events)
    return bad_request("bad_parameter", "family: " + asked->family + " has no events; ask /api/v1/query");
  if (!asked->query.collector.empty()) {
    const auto known = store.knows_collector(asked->query.collector);
    if (!known) return problem("look up a collector", known.error());
    if (!known.value()) return no_such_collector();
  }
  if (const Outcome known = check_labels(asked->labels, families.value()); !known)
    return bad_request("bad_parameter", known.error().message);
  std::vector<query::Matcher> matchers = std::move(asked->labels);
  matchers.insert(matchers.end(), asked->others.begin(), asked->others.end());
  for (const store::FamilyInfo& family : families.value()) {
    if (auto fits = fitting(family, matchers)) asked->query.families.push_back(std::move(*fits));
  }
  return page_of(store, std::move(asked->query), families.value());
}

}  // namespace pganalytics::server::api
