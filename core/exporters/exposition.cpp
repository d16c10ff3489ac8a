#include "core/exporters/exposition.h"

#include "core/exporters/prometheus_text.h"
#include "core/log/log.h"

#include <utility>

namespace pganalytics::exporters {
namespace {

constexpr std::int64_t kTextLifeMs = 1'000;

}  // namespace

Exposition::Exposition(ExpositionOptions options)
    : options_(std::move(options)),
      reader_(std::make_unique<DocumentReader>(options_.schemas, options_.families)),
      latest_(options_.stale_after_ms, options_.bytes_max) {}

void Exposition::take(const std::string& instance, const std::vector<std::string>& documents, std::int64_t now_ms) {
  for (const std::string& document : documents) {
    const Outcome read = reader_->read(instance, document, [&](const ExportedRow& row) -> Outcome {
      latest_.take(row, now_ms);
      return {};
    });
    if (read) continue;
    ++dropped_documents_;
    log::write(log::Level::kWarn, "a document of " + instance + " is not shown to Prometheus", read.error());
  }
  text_.reset();
}

void Exposition::use(ExpositionOptions options) {
  const bool same_rows = options.schemas == options_.schemas && options.families == options_.families;
  options_ = std::move(options);
  latest_.set_stale_after(options_.stale_after_ms);
  text_.reset();
  if (same_rows) return;
  latest_.clear();
  oversized_before_ += reader_->oversized_rows();
  reader_ = std::make_unique<DocumentReader>(options_.schemas, options_.families);
}

std::shared_ptr<const std::string> Exposition::text(std::int64_t now_ms) {
  if (text_ && now_ms - made_ms_ < kTextLifeMs) return text_;
  latest_.forget_stale(now_ms);
  telemetry::MetricText text("collector", options_.collector);
  write_latest(latest_, text);
  text.gauge("pganalytics_export_rows", "Rows whose newest values are shown here.", static_cast<double>(latest_.rows()));
  text.counter("pganalytics_export_dropped_documents_total",
               "Documents that came faster than they could be read, or that are against their plugin's schema.",
               static_cast<double>(dropped_documents_));
  const std::uint64_t dropped_rows = latest_.dropped_rows() + oversized_before_ + reader_->oversized_rows();
  text.counter("pganalytics_export_dropped_rows_total",
               "Rows left out because the memory for them is used up, or because one of their labels is too long.",
               static_cast<double>(dropped_rows));
  text_ = std::make_shared<const std::string>(std::move(text).text());
  made_ms_ = now_ms;
  return text_;
}

}  // namespace pganalytics::exporters
