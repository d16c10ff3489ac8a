// Databases into documents: as few as the host's size limit allows, and emitted as soon as one is full.
//
// Memory is bounded by one document and one database. A database that does not fit into a document of its own loses
// the smallest of its tables and indexes, and says how many.
#pragma once

#include <pganalytics/plugin.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "plugins/pg_stats/problem.h"
#include "plugins/pg_stats/relations.h"
#include "plugins/pg_stats/server.h"

namespace pganalytics::pg_stats {

class Packer {
 public:
  Packer(Run& run, const Server& server);

  // `timestamp`: when `relations` were read. Without relations, lists are empty and their counts null.
  Outcome add(const Database& database, const std::string& timestamp, const Relations& relations, const Problems& problems);
  Outcome add(const Problem& problem);
  // The last document; at least one is emitted, even if there is no database.
  Outcome finish();

 private:
  std::string entry(const Database& database, const std::string& timestamp, const Relations& relations,
                    std::size_t bytes_max) const;
  Outcome append(std::string_view entry, const std::string& problems);
  Outcome emit();
  [[nodiscard]] std::size_t envelope_bytes() const;

  Run& run_;
  const Server& server_;
  std::string databases_;  // comma-separated objects of the document in the making
  std::string problems_;
  bool emitted_ = false;
};

}  // namespace pganalytics::pg_stats
