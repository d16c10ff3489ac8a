// A new plugin's project, made from one of the SDK's templates: real files in which @id@ and the like stand for the author's
// choice.
//
// Here: copying and replacing. Not here: which words there are and what they may be (new_command.cpp), where templates lie
// (installation.h). [main thread]
#pragma once

#include <map>
#include <pganalytics/expected.hpp>
#include <string>
#include <string_view>

namespace pganalytics::collector {

using TemplateWords = std::map<std::string, std::string>;  // "id" is what @id@ becomes

// Each @word@ that `words` has is replaced, once; any other @ stays.
std::string fill_in(std::string_view text, const TemplateWords& words);

// Copies the folder `from` to `to`, file names included, and is all or nothing. `to` must not exist, or be an empty folder other
// than the current one; missing parents are made. PGA_E_CONFIG if `to` will not do, PGA_E_FAIL if the file system refuses.
Outcome write_project(const std::string& from, const std::string& to, const TemplateWords& words);

}  // namespace pganalytics::collector
