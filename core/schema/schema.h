// A plugin's JSON Schema in the intersection dialect: what it may say, whether a value fits, and which defaults are missing.
//
// The dialect has the keywords that mean the same in draft 4 and 2020-12 AND are enforced here: type, properties, required,
// additionalProperties, enum, minimum, maximum, minLength, maxLength, pattern, minItems, maxItems, items (one schema), oneOf,
// anyOf, allOf, definitions and local $ref; annotations: title, description, examples, default, format, and x-secret, x-reload,
// x-local, x-deprecated, x-kind, x-unit, x-source, x-since, x-family, x-label, x-cardinality-max. Anything else is refused: an
// ignored keyword is a false promise. `format` is enforced by our own code: duration, bytes, path-read, conninfo, host-port,
// date-time. A $ref is "#/definitions/NAME" and never leads back to itself. A format is only allowed where exactly one schema
// applies (not inside oneOf, anyOf). A configuration schema with properties must say additionalProperties, because forgetting it
// would let every typing error pass.
//
// Here: parse, validate, defaults. Not here: plugins' files (core/host), TOML (core/config). A Schema is immutable after
// parse(): share it between threads freely.
#pragma once

#include "core/schema/units.h"

#include <rapidjson/document.h>

#include <memory>
#include <pganalytics/expected.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace pganalytics::schema {

class Schema {
 public:
  enum class Purpose { kConfig, kOutput };  // kOutput: each numeric leaf must carry x-kind and x-unit

  static Expected<Schema> parse(std::string_view json_text, Purpose purpose);

  // PGA_E_CONFIG; error.message names the place as a path ("databases/0/size_bytes") and what was expected there;
  // for an unknown key the hint names the nearest known one.
  [[nodiscard]] Outcome validate(const rapidjson::Value& value) const;

  // Add each missing property that has a default, recursively into objects (an absent object property whose schema has defaults
  // inside is created only if it has a default of its own).
  void fill_defaults(rapidjson::Document& document) const;

  [[nodiscard]] std::vector<std::string> top_level_keys() const;
  [[nodiscard]] const rapidjson::Document& document() const;

  Schema(Schema&&) noexcept;
  Schema& operator=(Schema&&) noexcept;
  ~Schema();

 private:
  struct Content;
  explicit Schema(std::unique_ptr<Content> content);
  std::unique_ptr<Content> content_;
};

}  // namespace pganalytics::schema
