#include "core/server/ingest/known_schemas.h"

#include "core/crypto/digest.h"
#include "core/schema/schema.h"

namespace pganalytics::server::ingest {
namespace {

// A fleet has some versions of some plugins. Beyond that all are read anew, which costs a millisecond each.
constexpr std::size_t kKnownMax = 500;

Expected<schema::Families> compile(const store::SchemaText& text) {
  PGA_TRY(const schema::Schema schema, schema::Schema::parse(text.text, schema::Schema::Purpose::kOutput));
  return schema::Families::compile(schema.document(), text.plugin);
}

}  // namespace

Expected<std::shared_ptr<const KnownSchema>> KnownSchemas::take(const store::SchemaText& text) {
  const Key key{text.plugin, text.sha256};
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (const auto found = known_.find(key); found != known_.end()) return found->second;
  }
  PGA_TRY(schema::Families families, compile(text));
  PGA_TRY(auto stored, store_.stored_families(text.plugin, families.all()));
  auto known = std::make_shared<const KnownSchema>(KnownSchema{std::move(families), std::move(stored)});
  const std::lock_guard<std::mutex> lock(mutex_);
  if (known_.size() >= kKnownMax) known_.clear();
  known_[key] = known;
  return known;
}

Expected<std::shared_ptr<const KnownSchema>> KnownSchemas::find(const std::string& plugin, const std::string& sha256) {
  if (!sha256.empty()) {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (const auto found = known_.find({plugin, sha256}); found != known_.end()) return found->second;
  }
  PGA_TRY(const auto text, store_.find_schema(plugin, sha256));
  if (!text) return std::shared_ptr<const KnownSchema>();
  return take(*text);
}

Outcome KnownSchemas::add(const std::string& plugin, const std::string& sha256, const std::string& text) {
  if (text.size() > kSchemaBytes) {
    return Error{PGA_E_LIMIT, "schema_too_large", "a schema has at most " + std::to_string(kSchemaBytes) + " bytes", "", 0};
  }
  if (crypto::sha256_hex(text) != sha256) {
    return Error{PGA_E_CONFIG, "other_digest", "the body's SHA-256 is not the one in the path", "", 0};
  }
  const store::SchemaText schema{plugin, sha256, text};
  PGA_TRY(const schema::Families families, compile(schema));
  return store_.add_schema(schema, families.all());
}

}  // namespace pganalytics::server::ingest
