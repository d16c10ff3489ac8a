// A family of one version of a plugin's schema, and where the database has its members. Immutable. [any thread]
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace pganalytics::server::store {

// The n-th label (field, fact) of the schema's family has place labels[n], from 0, in the database's order; that has so many in
// all. Of events only the labels are kept beside the whole text.
struct StoredFamily {
  std::int32_t id = 0;
  bool is_events = false;
  std::vector<std::uint32_t> labels, fields, facts;
};

// A plugin's output schema. Its families are numbered as those that schema::Families::compile() makes of it.
struct SchemaText {
  std::string plugin, sha256, text;
};

}  // namespace pganalytics::server::store
