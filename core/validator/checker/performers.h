// Which function performs which check: the checker's side of the table in check.cpp.
#pragma once

#include <string_view>
#include <vector>

#include "core/validator/checker/subject.h"

namespace pganalytics::validator {

struct Performer {
  std::string_view id;
  Finding (*perform)(Subject& subject);
};

const std::vector<Performer>& all_performers();

}  // namespace pganalytics::validator
