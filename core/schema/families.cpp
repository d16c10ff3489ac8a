#include "core/schema/families.h"

#include "core/schema/dialect.h"
#include "core/schema/document_limits.h"
#include "core/schema/family_nodes.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <utility>

namespace pganalytics::schema {
namespace {

using rapidjson::Document;
using rapidjson::Value;

const Value* member(const Value& schema, const char* name) {
  const auto found = schema.FindMember(name);
  return found == schema.MemberEnd() ? nullptr : &found->value;
}

std::string text_of(const Value& schema, const char* name) {
  const Value* const found = member(schema, name);
  return found != nullptr && found->IsString() ? std::string(found->GetString(), found->GetStringLength()) : "";
}

Error refusal(const std::string& what, const std::string& hint) { return Error{PGA_E_CONFIG, "schema.families", what, hint, 0}; }

// Names become columns, so they are what SQL writes without quotes.
std::string as_name(std::string_view text) {
  std::string name;
  for (const char c : text) {
    const bool upper = c >= 'A' && c <= 'Z';
    const bool plain = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
    name += upper ? static_cast<char>(c - 'A' + 'a') : plain ? c : '_';
  }
  if (name.empty() || (name[0] >= '0' && name[0] <= '9')) name.insert(0, 1, '_');
  return name;
}

std::string joined(const std::string& prefix, std::string_view name) {
  return prefix.empty() ? as_name(name) : prefix + "_" + as_name(name);
}

// What one of `databases` is called: "database".
std::string one_of(std::string name) {
  if (name.size() > 2 && name.back() == 's' && name[name.size() - 2] != 's') name.pop_back();
  return name;
}

std::optional<FieldKind> field_kind(const std::string& kind) {
  if (kind == "gauge") return FieldKind::kGauge;
  if (kind == "counter") return FieldKind::kCounter;
  if (kind == "updown") return FieldKind::kUpdown;
  return std::nullopt;
}

class Compiler {
 public:
  Compiler(const Document& root, std::string plugin) : root_(root), plugin_(std::move(plugin)) {}

  Expected<std::unique_ptr<FamilyNodes>> run() {
    compiled_->nodes.emplace_back();
    PGA_CHECK(row_object(0, root_, Place{-1, "", plugin_, "", "", false}, 0));
    for (FamilyNode& node : compiled_->nodes) {
      for (std::size_t i = 0; i < node.members.size(); ++i) node.by_name.emplace(node.members[i].name, i);
    }
    return std::move(compiled_);
  }

 private:
  // Where an object that is a row stands.
  struct Place {
    int parent;                // its scope
    std::string inherited_as;  // what its labels are called in what lies in it: "database"; "" as they are
    std::string family;        // its name
    std::string path;          // in the document: what families without a name of their own are called after
    std::string description;
    bool named;  // by x-family
  };

  // The members of a row while they are gathered.
  struct Row {
    int scope = -1;
    Family family;
    std::set<std::string> names;
    bool has_event = false;
  };

  std::size_t new_node() {
    compiled_->nodes.emplace_back();
    return compiled_->nodes.size() - 1;
  }

  Outcome row_object(std::size_t node, const Value& schema, const Place& place, unsigned depth) {
    Row row;
    row.scope = static_cast<int>(compiled_->scopes.size());
    compiled_->scopes.emplace_back();
    compiled_->scopes.back().parent = place.parent;
    prefixes_.push_back(place.inherited_as);
    row.family.name = as_name(place.family);
    row.family.description = place.description;
    PGA_CHECK(inherit(place.parent, row));
    compiled_->scopes[static_cast<std::size_t>(row.scope)].label_offset = row.family.labels.size();
    compiled_->nodes[node].is = FamilyNode::Is::kObject;
    compiled_->nodes[node].scope = row.scope;
    own_labels_.emplace_back();
    PGA_CHECK(members(node, schema, "", place.path, row, depth));
    return close(std::move(row), place);
  }

  Outcome inherit(int parent, Row& row) {
    if (parent < 0) return {};
    PGA_CHECK(inherit(compiled_->scopes[static_cast<std::size_t>(parent)].parent, row));
    for (FamilyText label : own_labels_[static_cast<std::size_t>(parent)]) {
      const std::string& prefix = prefixes_[static_cast<std::size_t>(parent)];
      if (!prefix.empty()) label.name = prefix + "_" + label.name;
      PGA_CHECK(take_name(row, label.name));
      row.family.labels.push_back(std::move(label));
    }
    return {};
  }

  Outcome take_name(Row& row, const std::string& name) {
    if (row.names.size() >= kFamilyMembersMax) {
      return refusal("family " + row.family.name + " has more than " + std::to_string(kFamilyMembersMax) + " members",
                     "Divide it into several lists.");
    }
    if (row.names.insert(name).second) return {};
    return refusal("two members of family " + row.family.name + " are called " + name,
                   "Names of nested objects are joined by underscores: rename one of them.");
  }

  // Leaves first: what lies deeper inherits the labels, wherever in the object they stand.
  Outcome members(std::size_t node, const Value& schema, const std::string& prefix, const std::string& path, Row& row,
                  unsigned depth) {
    if (depth > kDocumentDepth) return refusal("the schema is deeper than a document may be", "");
    const Value* const properties = member(schema, "properties");
    if (properties == nullptr) return {};
    for (const bool containers : {false, true}) {
      for (const auto& property : properties->GetObject()) {
        const Value* const inner = resolve(root_, property.value);
        if (inner == nullptr) continue;
        const std::string name(property.name.GetString(), property.name.GetStringLength());
        const bool is_container = member(*inner, "properties") != nullptr || member(*inner, "items") != nullptr;
        if (is_container != containers) continue;
        const std::size_t child = new_node();
        compiled_->nodes[node].members.push_back({name, child});
        PGA_CHECK(containers ? container(child, *inner, name, prefix, path, row, depth + 1)
                             : leaf(node, child, *inner, name, prefix, row));
      }
    }
    return {};
  }

  Outcome leaf(std::size_t parent, std::size_t node, const Value& schema, const std::string& name, const std::string& prefix,
               Row& row) {
    const std::string kind = text_of(schema, "x-kind");
    FamilyNode& compiled = compiled_->nodes[node];
    FamilyScope& scope = compiled_->scopes[static_cast<std::size_t>(row.scope)];
    if (kind == "event") row.has_event = true;
    if (name == "timestamp" && text_of(schema, "format") == "date-time") {
      compiled.is = FamilyNode::Is::kTime;
      compiled_->nodes[parent].timed = true;
      return {};
    }
    const std::string full_name = joined(prefix, name);
    const std::string description = text_of(schema, "description");
    if (kind == "label") {
      PGA_CHECK(take_name(row, full_name));
      compiled.is = FamilyNode::Is::kLabel;
      compiled.slot = scope.labels++;
      own_labels_[static_cast<std::size_t>(row.scope)].push_back({full_name, description, false});
      row.family.labels.push_back({full_name, description, false});
    } else if (const auto field = field_kind(kind)) {
      PGA_CHECK(take_name(row, full_name));
      compiled.is = FamilyNode::Is::kField;
      compiled.slot = scope.fields++;
      row.family.fields.push_back({full_name, *field, text_of(schema, "x-unit"), description});
    } else if (kind == "info" && full_name != "type") {  // the document's type is its plugin's id
      PGA_CHECK(take_name(row, full_name));
      compiled.is = FamilyNode::Is::kFact;
      compiled.slot = scope.facts++;
      row.family.facts.push_back({full_name, description, text_of(schema, "format") == "date-time"});
    }
    return {};
  }

  Outcome container(std::size_t node, const Value& schema, const std::string& name, const std::string& prefix,
                    const std::string& path, Row& row, unsigned depth) {
    const Value* const items = member(schema, "items");
    const std::string inner_path = joined(path, name);
    std::string family = text_of(schema, "x-family");
    if (items == nullptr) {
      if (family.empty()) {
        compiled_->nodes[node].is = FamilyNode::Is::kObject;
        return members(node, schema, joined(prefix, name), inner_path, row, depth);
      }
      return row_object(node, schema,
                        Place{row.scope, joined(prefix, name), family, inner_path, text_of(schema, "description"), true}, depth);
    }
    const Value* const element = resolve(root_, *items);
    if (element == nullptr || member(*element, "properties") == nullptr) return {};
    if (family.empty()) family = text_of(*element, "x-family");
    const std::size_t element_node = new_node();
    compiled_->nodes[node].is = FamilyNode::Is::kArray;
    compiled_->nodes[node].element = element_node;
    const bool named = !family.empty();
    return row_object(element_node, *element,
                      Place{row.scope, one_of(joined(prefix, name)), named ? family : joined(plugin_, inner_path), inner_path,
                            text_of(schema, "description"), named},
                      depth);
  }

  // With the row's members known, it is a family, or no more than what others lie in.
  Outcome close(Row row, const Place& place) {
    FamilyScope& scope = compiled_->scopes[static_cast<std::size_t>(row.scope)];
    const bool is_errors = place.parent == 0 && place.path == "errors";
    row.family.is_events = (row.has_event || is_errors) && !place.named && place.parent >= 0;
    if (row.family.fields.empty() && row.family.facts.empty() && !row.family.is_events) return {};
    const std::string& name = row.family.name;
    if (name.size() > kFamilyNameBytes) {
      return refusal("the name of family " + name + " has more than " + std::to_string(kFamilyNameBytes) + " bytes",
                     "Give its list an x-family.");
    }
    if (compiled_->families.size() >= kFamiliesMax) {
      return refusal("there are more than " + std::to_string(kFamiliesMax) + " families", "");
    }
    if (!families_.emplace(name, compiled_->families.size()).second) {
      return refusal("two places are called family " + name, "Give one of them another x-family.");
    }
    scope.family = static_cast<int>(compiled_->families.size());
    compiled_->families.push_back(std::move(row.family));
    return {};
  }

  const Document& root_;
  const std::string plugin_;
  std::unique_ptr<FamilyNodes> compiled_ = std::make_unique<FamilyNodes>();
  std::vector<std::vector<FamilyText>> own_labels_;  // by scope
  std::vector<std::string> prefixes_;                // by scope: inherited_as
  std::map<std::string, std::size_t> families_;
};

}  // namespace

Expected<Families> Families::compile(const Document& output_schema, std::string_view plugin) {
  PGA_TRY(auto nodes, Compiler(output_schema, std::string(plugin)).run());
  return Families(std::move(nodes));
}

Families::Families(std::unique_ptr<FamilyNodes> nodes) : nodes_(std::move(nodes)) {}
Families::Families(Families&&) noexcept = default;
Families& Families::operator=(Families&&) noexcept = default;
Families::~Families() = default;

const std::vector<Family>& Families::all() const { return nodes_->families; }

}  // namespace pganalytics::schema
