// A validation as people and programs read it: lines, JSON, JUnit's XML; and the table of checks itself. Pure functions. [any
// thread]
#pragma once

#include <pganalytics/json.hpp>
#include <string>

#include "core/validator/validation.h"

namespace pganalytics::validator {

// One check, with what was seen and how to mend it where it did not pass; ends with a newline.
std::string result_text(const CheckResult& result);
// "FILE: 48 passed, 1 failed, 2 warnings, 2 skipped (1.9 s)".
std::string summary_text(const Validation& validation);

void write_json(const Validation& validation, JsonWriter& json);
// One testsuite; a failed W is a test that passed and printed something.
std::string junit_xml(const Validation& validation);

std::string list_text();
void write_list_json(JsonWriter& json);
// docs/plugin/validator.md between its markers.
std::string list_markdown();

}  // namespace pganalytics::validator
