// What can be said of documents without knowing the plugin: their shape, and their series by the schema.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "core/schema/schema.h"

namespace pganalytics::validator {

// What stays the same from run to run while the configuration does: which keys there are, and what the labels say. Numbers, times
// and free texts are left out, and so is how often something is there.
using Shape = std::set<std::string>;

// One number of a document by its place and the labels around it.
struct Sample {
  double value = 0;
  std::string marker;  // what around it tells that counting began anew: values of keys like "stats_reset", "start_time"
};

class DocumentReader {
 public:
  explicit DocumentReader(const schema::Schema& output_schema) : schema_(output_schema) {}

  [[nodiscard]] Shape shape_of(const std::vector<std::string>& documents) const;
  // The numbers whose x-kind is `kind`, by series.
  [[nodiscard]] std::map<std::string, Sample> samples_of(const std::vector<std::string>& documents, std::string_view kind) const;
  // Whether any leaf of the schema is of this x-kind.
  [[nodiscard]] bool declares(std::string_view kind) const;

 private:
  const schema::Schema& schema_;
};

// The output schema; throws CannotCheck where it is none.
schema::Schema output_schema_of(const char* json);

}  // namespace pganalytics::validator
