// An entry of the document's "errors": a part that is missing, and why, while the rest arrived.
#pragma once

#include <optional>
#include <pganalytics/expected.hpp>
#include <pganalytics/json.hpp>
#include <string>
#include <vector>

namespace pganalytics::pg_stats {

struct Problem {
  std::optional<std::string> database;  // nullopt: of the server as a whole
  std::string family;                   // "": of all of them
  std::string code;                     // an SQLSTATE, "pg.connect", "locked", "deadline"...
  std::string message;
  std::string hint;
};

using Problems = std::vector<Problem>;

inline Problem problem_of(std::optional<std::string> database, const std::string& family, const Error& error) {
  return {std::move(database), family, error.code, error.message, error.hint};
}

inline void to_json(JsonWriter& json, const Problem& problem) {
  json.begin_object()
      .member("database", problem.database)
      .member("family", text_or_null(problem.family))
      .member("code", problem.code)
      .member("message", problem.message)
      .member("hint", text_or_null(problem.hint))
      .end_object();
}

}  // namespace pganalytics::pg_stats
