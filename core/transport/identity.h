// Who this collector is to its server: id, key, certificate, CA; files under <state_dir>/identity/ (key 0600).
//
// Here: the files and their checks. Not here: how it was got (enrolment.h). Immutable once loaded.
#pragma once

#include <pganalytics/expected.hpp>
#include <string>

namespace pganalytics::transport {

struct Identity {
  std::string collector_id;  // UUID
  std::string backend_url;   // the server that gave it
  std::string key_file, certificate_file, ca_file;
  std::string stamp = {};  // when it was loaded; another one: the key, certificate or CA file was written since

  // PGA_E_NOTFOUND ("not registered") with a HINT; PGA_E_DENIED when the key's file is open to others.
  static Expected<Identity> load(const std::string& state_dir);
};

}  // namespace pganalytics::transport
