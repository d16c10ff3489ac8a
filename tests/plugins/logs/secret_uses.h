// Secrets that no log may let out, and the statements that bring them into a server's log.
#pragma once

#include "core/postgres/connection.h"
#include "tests/support/postgres_server.h"

#include <cstdint>
#include <random>
#include <string>
#include <vector>

namespace pganalytics::logs {

enum class SecretKind {
  kValue,       // a literal, a parameter, data of a row, what a function says: hidden by `all` and `parameters`
  kCredential,  // hidden always
};

struct Secret {
  SecretKind kind = SecretKind::kValue;
  std::string core;  // letters and digits between kSecretBegin and kSecretEnd, or digits behind kNumberBegin: found in any log
  std::string text;  // the core among characters that end literals, names, comments, lines
};

// What every core begins and ends with, and nothing else in a log holds.
inline constexpr char kSecretBegin[] = "zq7";
inline constexpr char kSecretEnd[] = "7qz";
inline constexpr char kNumberBegin[] = "73079";

// Runs the uses in turn on the server, each time with a new secret, until there are `count`; returns them.
std::vector<Secret> use_secrets(testing::PostgresServer& server, std::uint64_t seed, std::size_t count);

}  // namespace pganalytics::logs
