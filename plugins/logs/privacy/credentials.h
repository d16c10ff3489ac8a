// Credentials, by their spelling: in SQL, connection strings, URLs, JSON, environments and HTTP headers.
//
// Found are: what is assigned to password, secret, token, api_key and their like; PASSWORD of CREATE and ALTER ROLE, quoted or
// not; verifiers (SCRAM-SHA-256$, md5); connection strings of libpq ("Connection Strings" in its documentation), whole where they
// are a literal or a URL; the user part of other URLs; OPTIONS (...) of servers and user mappings; arguments of dblink and of
// pgcrypto's functions that take a key; bearer and basic tokens, JSON web tokens, access key ids of AWS, private keys in PEM. Not
// found is a secret that nothing around it calls one. Where its end is in doubt, more is hidden. Time is linear in the text.
// Pure; any thread.
#pragma once

#include "plugins/logs/privacy/spans.h"

#include <string>
#include <string_view>

namespace pganalytics::logs {

// Adds them as spans of `text`.
void find_credentials(std::string_view text, Spans& spans);

// `text` with each of them as kRedacted.
std::string without_credentials(std::string_view text);

// Is it a statement that sets a role's password, right or wrong? Then what a syntax error quotes of it may be the password.
bool sets_role_password(std::string_view sql);

}  // namespace pganalytics::logs
