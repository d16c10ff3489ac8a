// A document's rows, by the families that its schema describes (families.h): read in one pass, without a tree.
//
// The schema says what each place means; what it does not know is passed over, because a plugin may be newer than the schema at
// hand. A value of another type than the schema's is an error: nothing of that document is to be stored as numbers. One reader
// per thread; it keeps its buffers.
#pragma once

#include "core/schema/families.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <pganalytics/expected.hpp>
#include <string_view>

namespace pganalytics::schema {

// One object of a family. All of it is borrowed for the call that is given it.
struct FamilyRow {
  std::size_t family = 0;               // index into Families::all()
  std::string_view time;                // RFC 3339, as the document has it; "" if it says none
  const std::string_view* labels = {};  // as many as the family has; data() is nullptr where there is none
  const double* fields = {};            // likewise; NaN: null or absent
  const std::string_view* facts = {};   // likewise; data() is nullptr
  std::string_view json;                // the object, of an event; "" of others
};

class FamilyRows {
 public:
  explicit FamilyRows(const Families& families);  // which must outlive it
  ~FamilyRows();

  // Each row, in the order of the document; rows of a family whose object has neither a field nor a fact are left out. Labels are
  // texts: of numbers the digits as they came, of booleans "true" or "false". PGA_E_FAIL, "document.type", naming the member;
  // "document.syntax": no JSON object, or deeper than kDocumentDepth. `on_row` is called only if the whole document is good.
  Outcome read(std::string_view document, const std::function<Outcome(const FamilyRow&)>& on_row);

 private:
  class Walk;
  std::unique_ptr<Walk> walk_;
};

}  // namespace pganalytics::schema
