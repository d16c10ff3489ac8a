// What a scrape is answered with: documents taken, their newest rows kept, and the text made of them.
//
// The text is made when somebody asks and something is new, or a second has passed since it was made. Of the exporter itself it
// tells how much it holds and what it left out. One thread at a time. Time is passed in, monotonic.
#pragma once

#include "core/exporters/document_reader.h"
#include "core/exporters/latest_rows.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace pganalytics::exporters {

struct ExpositionOptions {
  std::string collector;  // its name
  std::int64_t stale_after_ms = 900'000;
  config::FamilyChoice families;
  std::vector<PluginSchema> schemas;
  std::size_t bytes_max = 64u << 20;  // of rows
};

class Exposition {
 public:
  explicit Exposition(ExpositionOptions options);

  // A run's documents. One that cannot be read is logged and counted.
  void take(const std::string& instance, const std::vector<std::string>& documents, std::int64_t now_ms);
  // So many documents were not even given to it.
  void missed(std::uint64_t documents) { dropped_documents_ += documents; }

  // Other options from now on. Rows stay unless what they are made of changes: schemas or the choice of families.
  void use(ExpositionOptions options);

  std::shared_ptr<const std::string> text(std::int64_t now_ms);

 private:
  ExpositionOptions options_;
  std::unique_ptr<DocumentReader> reader_;
  LatestRows latest_;
  std::uint64_t dropped_documents_ = 0;
  std::uint64_t oversized_before_ = 0;  // of readers before this one
  std::shared_ptr<const std::string> text_;
  std::int64_t made_ms_ = 0;
};

}  // namespace pganalytics::exporters
