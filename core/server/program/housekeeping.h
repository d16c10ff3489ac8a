// What the main loop does once a second, each step short: the private PostgreSQL kept running, signing keys followed, refusals
// told. What may take its time is the upkeep's (upkeep.h). [main thread]
#pragma once

#include "core/server/auth/access_token.h"
#include "core/server/http/refusals.h"
#include "core/server/program/database.h"

#include <cstdint>
#include <string>

namespace pganalytics::server::program {

class Housekeeping {
 public:
  // All outlive it.
  Housekeeping(Database& database, const http::Refusals& refusals, const auth::TokenSigner& signer,
               std::int64_t signing_key_life_ms);

  void turn();
  void use_signing_key_life(std::int64_t life_ms) { signing_key_life_ms_ = life_ms; }

 private:
  void tell_refusals();
  void follow_signing_keys();

  Database& database_;
  const http::Refusals& refusals_;
  http::Refusals::Numbers told_{};
  std::int64_t tell_at_ns_;
  const auth::TokenSigner& signer_;
  std::int64_t signing_key_life_ms_;
  std::string signing_trouble_;  // told once
};

}  // namespace pganalytics::server::program
