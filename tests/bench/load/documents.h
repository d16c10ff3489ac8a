// What a collector pushes: an envelope with the documents of some real cycles (documents/), compressed as the collector does.
//
// Each push has sysstat and what changed in pg_stats; each sixth also disk and logs; each sixtieth pg_stats in full; the first
// has all. Which is the sixth and the sixtieth differs from collector to collector, as they did not start in the same second.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "tests/bench/load/template.h"

namespace pganalytics::bench {

struct SchemaText {
  std::string plugin, text;
};

class Documents {
 public:
  // `source`: the root of the source tree, with this folder and the plugins' schemas.
  explicit Documents(const std::string& source);

  // zstd. `tick`: how many pushes this collector has sent; `phase`: its own number.
  [[nodiscard]] std::string push(const std::string& collector_id, const std::string& epoch, std::uint64_t tick,
                                 unsigned phase) const;
  // nullptr: not one of ours.
  [[nodiscard]] const SchemaText* schema(const std::string& sha256) const;
  [[nodiscard]] std::vector<std::string> digests() const;

 private:
  std::map<std::string, SchemaText> schemas_;  // by SHA-256
  std::string named_;                          // the envelope's "schemas"
  std::map<std::string, Template> templates_;
};

}  // namespace pganalytics::bench
