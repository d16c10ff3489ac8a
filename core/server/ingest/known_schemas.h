// The output schemas that this server can read documents by: compiled once, with where the database has their families.
//
// A schema is immutable and its places never move, so what was read from the database once stays true; another server may have
// put it there. Thread-safe; it asks the store without a lock held.
#pragma once

#include "core/schema/families.h"
#include "core/server/store/store.h"

#include <map>
#include <memory>
#include <mutex>
#include <pganalytics/expected.hpp>
#include <string>
#include <utility>
#include <vector>

namespace pganalytics::server::ingest {

struct KnownSchema {
  schema::Families families;
  std::vector<store::StoredFamily> stored;  // of families.all()
};

constexpr std::size_t kSchemaBytes = 1u << 20;

class KnownSchemas {
 public:
  explicit KnownSchemas(store::Store& store) : store_(store) {}  // which must outlive it

  // sha256 "": the newest of that plugin. nullptr: there is none.
  Expected<std::shared_ptr<const KnownSchema>> find(const std::string& plugin, const std::string& sha256);
  // What a collector sent. PGA_E_CONFIG: the text has another digest, is no schema, or describes no families that could be kept;
  // PGA_E_LIMIT: kSchemaBytes, or the store has too many. Twice is as once.
  Outcome add(const std::string& plugin, const std::string& sha256, const std::string& text);

 private:
  Expected<std::shared_ptr<const KnownSchema>> take(const store::SchemaText& schema);

  using Key = std::pair<std::string, std::string>;
  store::Store& store_;
  std::mutex mutex_;
  std::map<Key, std::shared_ptr<const KnownSchema>> known_;
};

}  // namespace pganalytics::server::ingest
