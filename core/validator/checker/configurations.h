// Configurations to try on a plugin: the one its author gave or the one its schema makes, the documented examples, and variations
// that still fit the schema. All of them are what the host would pass on: valid, with defaults filled in.
#pragma once

#include <rapidjson/document.h>

#include <set>
#include <string>
#include <vector>

#include "core/schema/schema.h"
#include "core/validator/checker/subject.h"

namespace pganalytics::validator {

struct Configuration {
  std::string what;  // "label = \"other\"": how it differs from the base
  std::string json;
};

class Configurations {
 public:
  // Throws CannotCheck where no base can be made.
  explicit Configurations(Subject& subject);

  [[nodiscard]] const std::string& base() const { return base_; }
  // The base with each value of each "examples", paths and servers excepted; and the examples of the whole.
  [[nodiscard]] std::vector<Configuration> examples() const;
  // The base with one key set to an ordinary other value: examples, each of an enum, both of a flag, the ends of a range.
  [[nodiscard]] std::vector<Configuration> variations() const;
  // The base with one key set to something nobody thought of that fits the schema.
  [[nodiscard]] std::vector<Configuration> oddities() const;
  // The base with each key of this "format", or with items of it, set to `value`.
  [[nodiscard]] std::vector<Configuration> with_format(std::string_view format, const std::string& value) const;
  // The base with each "x-secret" string set to `value`, and the names of all {"$secret": "name"} in it.
  [[nodiscard]] std::string with_secrets(const std::string& value) const;
  [[nodiscard]] const std::set<std::string>& secret_names() const { return secret_names_; }

 private:
  using Values = std::vector<rapidjson::Value>;
  void add(std::vector<Configuration>& list, const char* key, const rapidjson::Value& value) const;
  template <class ValuesOf>
  [[nodiscard]] std::vector<Configuration> vary(const ValuesOf& values_of) const;

  schema::Schema schema_;
  std::string base_;
  std::set<std::string> secret_names_;
};

}  // namespace pganalytics::validator
