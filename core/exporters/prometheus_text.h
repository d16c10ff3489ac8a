// The newest values of all rows as Prometheus' text (core/telemetry/metric_text.h). Pure functions. [any thread]
#pragma once

#include "core/exporters/latest_rows.h"
#include "core/telemetry/metric_text.h"

#include <string>
#include <vector>

namespace pganalytics::exporters {

// name="value",... as telemetry::append_label writes it; "" of none.
std::string label_text(const std::vector<Label>& labels);

// Every value of `latest`. A name has one type whichever plugins have it, because counters alone end in _total; the help is that
// of one of them.
void write_latest(const LatestRows& latest, telemetry::MetricText& text);

}  // namespace pganalytics::exporters
