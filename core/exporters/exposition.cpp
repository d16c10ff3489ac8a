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
  std::string text = prometheus_text(latest_, options_.collector);
  const auto own = [&](std::string_view name, bool is_counter, std::string_view help, std::uint64_t value) {
    append_own_metric(text, name, is_counter, help, options_.collector, static_cast<double>(value));
  };
  own("pganalytics_export_rows", false, "Rows whose newest values are shown here.", latest_.rows());
  own("pganalytics_export_dropped_documents_total", true,
      "Documents that came faster than they could be read, or that are against their plugin's schema.", dropped_documents_);
  own("pganalytics_export_dropped_rows_total", true,
      "Rows left out because the memory for them is used up, or because one of their labels is too long.",
      latest_.dropped_rows() + oversized_before_ + reader_->oversized_rows());
  text_ = std::make_shared<const std::string>(std::move(text));
  made_ms_ = now_ms;
  return text_;
}

}  // namespace pganalytics::exporters
