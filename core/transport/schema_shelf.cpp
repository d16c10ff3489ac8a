#include "core/transport/schema_shelf.h"

#include "core/crypto/digest.h"

#include <algorithm>

namespace pganalytics::transport {
namespace {

constexpr std::size_t kMost = 100;

}  // namespace

std::string SchemaShelf::put(const std::string& type, const std::string& text) {
  const std::lock_guard lock(mutex_);
  const auto known = std::find_if(schemas_.begin(), schemas_.end(),
                                  [&](const OutputSchema& schema) { return schema.type == type && schema.text == text; });
  if (known != schemas_.end()) return known->sha256;
  schemas_.push_front({type, crypto::sha256_hex(text), text});
  if (schemas_.size() > kMost) schemas_.pop_back();
  return schemas_.front().sha256;
}

std::vector<OutputSchema> SchemaShelf::find(const std::string& sha256) const {
  const std::lock_guard lock(mutex_);
  std::vector<OutputSchema> found;
  for (const OutputSchema& schema : schemas_) {
    if (schema.sha256 == sha256) found.push_back(schema);
  }
  return found;
}

}  // namespace pganalytics::transport
