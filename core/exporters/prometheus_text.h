// The text format that Prometheus scrapes, version 0.0.4 (prometheus.io/docs/instrumenting/exposition_formats).
//
// Samples bear no time: they are as new as the scrape. All samples of a metric stand together below its HELP and TYPE. Pure
// functions. [any thread]
#pragma once

#include "core/exporters/latest_rows.h"

#include <string>
#include <string_view>
#include <vector>

namespace pganalytics::exporters {

constexpr std::string_view kPrometheusContentType = "text/plain; version=0.0.4; charset=utf-8";

// name="value",... with backslash, quote and line feed escaped; "" of none.
std::string label_text(const std::vector<Label>& labels);

// What the shortest text is that reads as this number again; NaN, +Inf and -Inf as the format wants them.
std::string number_text(double value);

// Every value of `latest`, each with the label collector="<collector>" in front. A name has one type
// whichever plugins have it, because counters alone end in _total; the help is that of one of them.
std::string prometheus_text(const LatestRows& latest, std::string_view collector);

// One sample of a metric without labels but the collector's, with its HELP and TYPE.
void append_own_metric(std::string& text, std::string_view name, bool is_counter, std::string_view help,
                       std::string_view collector, double value);

}  // namespace pganalytics::exporters
