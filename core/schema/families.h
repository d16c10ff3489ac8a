// The families of rows that a plugin's documents hold, as its output schema describes them: names, labels, fields, facts.
//
// The one generic walk over schemas: whoever stores, exports or shows what plugins say asks here, and so takes plugins that were
// unknown when it was built. The rules, told to authors in docs/plugin/schemas.md:
// - An array of objects, or an object, with `x-family` is a family of that name: a row for each object.
// - An array of objects without it is a family called after its place, `<plugin>_<path>`; the document's own members, and those
//   of plain objects in it, are the family `<plugin>`. Neither is a family if it has nothing but labels.
// - A leaf of x-kind gauge, counter or updown is a field, of kind label a label, of kind info a fact. Members of a plain object
//   within a row are the row's own: `cpu`/`user` is `cpu_user`.
// - A row has the labels of what it lies in: `name` of `databases` is `database_name`; those of the document keep their names.
// - Its time is the `timestamp` that stands in it, or nearest around it.
// - An array of objects without `x-family` in which a leaf is of kind event, and the document's `errors`, are lists of events:
//   kept whole, found by their labels.
// - Left out: maps (additionalProperties), arrays of anything but objects, leaves without a kind, and what stands in oneOf, anyOf
//   or allOf.
// Immutable after compile(). [any thread]
#pragma once

#include <rapidjson/document.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <pganalytics/expected.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace pganalytics::schema {

enum class FieldKind { kGauge, kCounter, kUpdown };

struct FamilyField {
  std::string name;  // of letters, digits and underscores; unique among the family's labels, fields and facts
  FieldKind kind = FieldKind::kGauge;
  std::string unit;  // UCUM
  std::string description;
};

// What tells rows apart, or a fact about one.
struct FamilyText {
  std::string name;
  std::string description;
  bool is_time = false;  // RFC 3339, as the schema has it
};

struct Family {
  std::string name;  // [a-z][a-z0-9_]*, at most kFamilyNameBytes
  std::string description;
  bool is_events = false;          // its rows are events: labels and the JSON text, no fields
  std::vector<FamilyText> labels;  // inherited ones first, the outermost first
  std::vector<FamilyField> fields;
  std::vector<FamilyText> facts;
};

inline constexpr std::size_t kFamilyNameBytes = 63;  // that of a PostgreSQL identifier
inline constexpr std::size_t kFamiliesMax = 500;
inline constexpr std::size_t kFamilyMembersMax = 1'000;

struct FamilyNodes;  // families.cpp and family_rows.cpp only

class Families {
 public:
  // PGA_E_CONFIG: two places have one family's name, two members of a row have one name, or a limit is passed.
  static Expected<Families> compile(const rapidjson::Document& output_schema, std::string_view plugin);

  [[nodiscard]] const std::vector<Family>& all() const;
  [[nodiscard]] const FamilyNodes& nodes() const { return *nodes_; }

  Families(Families&&) noexcept;
  Families& operator=(Families&&) noexcept;
  ~Families();

 private:
  explicit Families(std::unique_ptr<FamilyNodes> nodes);
  std::unique_ptr<FamilyNodes> nodes_;
};

}  // namespace pganalytics::schema
