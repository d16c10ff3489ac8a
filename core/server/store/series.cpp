// Series found by their labels, and a field's values over time.
#include "core/server/store/impl.h"
#include "core/server/store/statement_values.h"

#include <rapidjson/document.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <functional>
#include <iterator>
#include <pganalytics/json.hpp>

namespace pganalytics::server::store {
namespace {

std::string json_of(const std::vector<LabelMatch>& matches) {
  JsonWriter json;
  json.begin_array();
  for (const LabelMatch& match : matches) {
    json.begin_object();
    write_members(json, match);
    json.end_object();
  }
  return std::string(json.end_array().text());
}

// The values that must stand among the labels: what the index of labels can look for.
std::string json_of_values(const std::vector<LabelMatch>& matches) {
  JsonWriter json;
  json.begin_array();
  for (const LabelMatch& match : matches) {
    if (match.is == LabelMatch::Is::kEqual && !match.value.empty()) json.value(match.value);
  }
  return std::string(json.end_array().text());
}

// A JSON array of texts and nulls, as PostgreSQL writes it.
std::vector<std::string> labels_of(std::string_view text) {
  std::vector<std::string> labels;
  rapidjson::Document array;
  array.Parse(text.data(), text.size());
  if (array.HasParseError() || !array.IsArray()) return labels;
  for (const auto& label : array.GetArray()) {
    labels.emplace_back(label.IsString() ? std::string(label.GetString(), label.GetStringLength()) : std::string());
  }
  return labels;
}

// With all the digits that it has.
std::string text_of(double number) {
  std::array<char, 40> text{};
  const int length = std::snprintf(text.data(), text.size(), "%.17g", number);
  return {text.data(), static_cast<std::size_t>(length)};
}

StepRow step_of(const postgres::Rows& rows, int row, bool has_quantile) {
  StepRow step;
  step.series_id = rows.int64(row, 0).value_or(0);
  step.time_unix_s = rows.int64(row, 1).value_or(0);
  step.count = rows.int64(row, 2).value_or(0);
  step.least = rows.number(row, 3).value_or(0);
  step.greatest = rows.number(row, 4).value_or(0);
  step.total = rows.number(row, 5).value_or(0);
  step.last = rows.number(row, 6).value_or(0);
  (has_quantile ? step.quantile : step.growth) = rows.number(row, 7);
  return step;
}

using Ask = std::function<Expected<postgres::Rows>(const char* sql, const Parameters& parameters)>;

// The widest buckets that such steps are made of; 0: none.
std::int64_t roll_up_width(const StepsQuery& query) {
  if (query.quantile) return 0;
  for (const std::int64_t width_s : {3'600, 300}) {
    if (query.step_s % width_s == 0) return width_s;
  }
  return 0;
}

// Of roll-ups of that width, or of points (0).
Expected<std::vector<StepRow>> read_steps(const Ask& ask, const StepsQuery& query, std::int64_t width_s) {
  Parameters parameters = {array_of(query.series_ids), std::to_string(query.field), std::to_string(query.from_unix_s),
                           std::to_string(query.to_unix_s), std::to_string(query.step_s)};
  if (query.quantile) parameters.emplace_back(text_of(*query.quantile));
  if (width_s != 0) parameters.emplace_back(std::to_string(width_s));
  const char* const sql = query.quantile ? embedded::quantiles_of_points_sql
                          : width_s != 0 ? embedded::steps_of_rollups_sql
                                         : embedded::steps_of_points_sql;
  PGA_TRY(const postgres::Rows rows, ask(sql, parameters));
  std::vector<StepRow> steps;
  steps.reserve(static_cast<std::size_t>(rows.size()));
  for (int row = 0; row < rows.size(); ++row) steps.push_back(step_of(rows, row, query.quantile.has_value()));
  return steps;
}

// The end of the last whole step that is rolled up.
Expected<std::int64_t> rolled_up_until(const Ask& ask, const StepsQuery& query) {
  const std::int64_t width_s = roll_up_width(query);
  if (width_s == 0) return std::int64_t{0};
  PGA_TRY(const postgres::Rows rows, ask(embedded::rollup_until_sql, {std::to_string(width_s)}));
  const std::int64_t until = rows.int64(0, 0).value_or(0);
  return until - until % query.step_s;
}

}  // namespace

Expected<bool> Store::knows_collector(const std::string& id_or_name) {
  PGA_TRY(const postgres::Rows rows, impl_->ask(embedded::collector_known_sql, {id_or_name}));
  return rows.size() > 0;
}

Expected<std::vector<SeriesRow>> Store::series(const SeriesQuery& query) {
  PGA_TRY(const postgres::Rows rows,
          impl_->ask(embedded::series_find_sql,
                     {std::to_string(query.family_id), query.collector, json_of_values(query.matches), json_of(query.matches),
                      std::to_string(query.from_unix_s), std::to_string(query.limit)}));
  std::vector<SeriesRow> found;
  for (int row = 0; row < rows.size(); ++row) {
    SeriesRow series;
    series.id = rows.int64(row, 0).value_or(0);
    series.collector_id = rows.text(row, 1);
    series.collector_name = rows.text(row, 2);
    series.labels = labels_of(rows.text(row, 3));
    found.push_back(std::move(series));
  }
  return found;
}

Expected<std::vector<StepRow>> Store::steps(const StepsQuery& query) {
  const Ask ask = [this](const char* sql, const Parameters& parameters) { return impl_->ask(sql, parameters); };
  PGA_TRY(const std::int64_t seam, rolled_up_until(ask, query));
  if (seam <= query.from_unix_s) return read_steps(ask, query, 0);
  StepsQuery rolled = query, fresh = query;
  rolled.to_unix_s = std::min(seam, query.to_unix_s);
  PGA_TRY(std::vector<StepRow> steps, read_steps(ask, rolled, roll_up_width(query)));
  if (seam >= query.to_unix_s) return steps;
  fresh.from_unix_s = seam;
  PGA_TRY(const std::vector<StepRow> newest, read_steps(ask, fresh, 0));
  // The last step before the seam is known from both.
  std::copy_if(newest.begin(), newest.end(), std::back_inserter(steps),
               [seam](const StepRow& row) { return row.time_unix_s >= seam; });
  std::stable_sort(steps.begin(), steps.end(), [](const StepRow& a, const StepRow& b) { return a.series_id < b.series_id; });
  return steps;
}

}  // namespace pganalytics::server::store
