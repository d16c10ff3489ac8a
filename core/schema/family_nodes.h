// A compiled output schema: what each place of a document means to the walk over it. Shared by families.cpp, which builds it, and
// family_rows.cpp, which follows it; nobody else includes it.
#pragma once

#include "core/schema/families.h"

#include <cstddef>
#include <string>
#include <unordered_map>
#include <vector>

namespace pganalytics::schema {

struct FamilyNode {
  enum class Is {
    kSkipped,
    kLabel,
    kField,
    kFact,
    kTime,
    kObject,  // of members
    kArray,   // of objects: `element`
  };
  struct Member {
    std::string name;
    std::size_t node = 0;
  };

  Is is = Is::kSkipped;
  std::size_t slot = 0;  // of a label, field or fact: its place in its scope
  std::vector<Member> members;
  std::unordered_map<std::string_view, std::size_t> by_name;  // views into `members`
  std::size_t element = 0;
  int scope = -1;      // of an object that is a row, or holds labels of rows; -1: it is part of the object around it
  bool timed = false;  // an object with a timestamp
};

// An object that becomes a row, or that rows lie in.
struct FamilyScope {
  int parent = -1;
  int family = -1;               // none: it has labels only
  std::size_t labels = 0;        // its own
  std::size_t label_offset = 0;  // of its own among the family's: behind the inherited ones
  std::size_t fields = 0;
  std::size_t facts = 0;
};

struct FamilyNodes {
  std::vector<FamilyNode> nodes;  // the first: the document
  std::vector<FamilyScope> scopes;
  std::vector<Family> families;
};

}  // namespace pganalytics::schema
