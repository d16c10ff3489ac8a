// The collectors of a run: enrolled over HTTP as real ones are, kept in a file for the next run in the same folder.
//
// All share one key pair: it is the server that is measured, not this program's random numbers.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tests/bench/load/link.h"

namespace pganalytics::bench {

struct Identity {
  std::string id, certificate_pem;
  std::string token;                     // of access
  std::int64_t token_until_unix_ns = 0;  // asked for anew before
};

// Those of `file` and as many new ones as make `count`. Throws if one is refused.
std::vector<Identity> enrol(Network& network, const std::string& file, unsigned count, const std::string& registration_token);

// How many identities `file` has.
unsigned count_of(const std::string& file);
// Puts the key of `file` in place of the network's, if there is one; else keeps the network's there.
void share_key(Network& network, const std::string& file);

}  // namespace pganalytics::bench
