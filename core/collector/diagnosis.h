// What `doctor` makes of one plugin's run: part by part what works, what is missing, and what cures it.
//
// Read from what documents say of themselves by convention (docs/plugin/schemas.md): `readings`, the parts and what they cost,
// and `errors`, what is missing and why. A plugin without them is one part. Plugins' texts are made printable. Pure. [any thread]
#pragma once

#include "core/host/supervisor.h"

#include <cstdint>
#include <optional>
#include <pganalytics/json.hpp>
#include <string>
#include <vector>

namespace pganalytics::collector {

struct Finding {
  std::string part;                 // "": of the whole
  std::vector<std::string> places;  // databases, mount points, commands
  std::string code, message, hint;  // hint "": none
  bool optional = false;            // told, but no illness: what is missing is more than most need
};

struct DiagnosedPart {
  std::string name, state;  // as the plugin calls it: "read", "failed", "off"...
  std::uint64_t places = 0, failures = 0, rows = 0, bytes = 0;
  double ms = 0;
};

struct Diagnosis {
  std::string plugin;           // the instance
  std::optional<Error> failed;  // the run, or what kept it from beginning
  std::size_t documents = 0, bytes = 0;
  std::int64_t duration_ms = 0;
  std::vector<DiagnosedPart> parts;
  std::vector<Finding> findings;  // one for each reason, with the places that it has in common

  // It runs, and nothing is missing but what is optional.
  [[nodiscard]] bool is_well() const;
};

Diagnosis diagnose(const host::RunReport& report);

std::string to_text(const Diagnosis& diagnosis);
void to_json(JsonWriter& json, const Diagnosis& diagnosis);

}  // namespace pganalytics::collector
