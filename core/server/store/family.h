// Families of rows as the store knows them: what there is to ask for (core/schema/families.h says how they come about).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace pganalytics::server::store {

// A label, field or fact of a family.
struct FamilyMember {
  int position = 0;  // from 1 on, among its like: rows know it by that
  std::string name;
  std::string kind;  // of a field: "gauge", "counter", "updown"; "" otherwise
  std::string unit;  // UCUM; "" where it has none
  std::string description;
};

struct FamilyInfo {
  std::int64_t id = 0;
  std::string view;  // its name in SQL and in questions: unique among all plugins
  std::string plugin, name, description;
  bool is_events = false;
  std::vector<FamilyMember> labels, fields, facts;  // by position
};

struct FamiliesPage {
  std::vector<FamilyInfo> families;  // by view
  std::string next;                  // the view after which the next page begins; "": this is the last
};

// What a family takes on the disk, indexes included: about, by a sample.
struct FamilySize {
  std::string view, plugin;
  std::int64_t series = 0;
  std::int64_t point_bytes = 0, rollup_bytes = 0, event_bytes = 0;
  [[nodiscard]] std::int64_t bytes() const { return point_bytes + rollup_bytes + event_bytes; }
};

// The member of that name; nullptr if there is none.
inline const FamilyMember* find_member(const std::vector<FamilyMember>& members, const std::string& name) {
  for (const FamilyMember& member : members) {
    if (member.name == name) return &member;
  }
  return nullptr;
}

}  // namespace pganalytics::server::store
