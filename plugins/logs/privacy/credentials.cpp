#include "plugins/logs/privacy/credentials.h"

#include "plugins/logs/privacy/characters.h"
#include "plugins/logs/privacy/credential_value.h"
#include "plugins/logs/privacy/statement.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <utility>

namespace pganalytics::logs {
namespace {

// Bytes [begin, end): what a rule's word was found as.
using Finder = ValueRange (*)(std::string_view text, const Keyword& word);

bool begins_word(std::string_view text, std::size_t at) { return at == 0 || !is_word(text[at - 1]); }

// CREATE ROLE r PASSWORD x: refused by the server, and yet a password in its log. --password x: of a command that failed.
constexpr std::string_view kWordsOfRoles[] = {"null",       "valid",   "login",      "nologin", "superuser", "createdb",
                                              "createrole", "inherit", "connection", "in",      "role",      "with"};

bool names_role_before(std::string_view text, std::size_t at) {
  constexpr std::size_t kReachBytes = 256;
  const std::size_t from = at - std::min(at, kReachBytes);
  bool changes = false;
  for (std::size_t i = from; i < at; ++i) {
    if (!begins_word(text, i)) continue;
    const std::string_view rest = text.substr(i, at - i);
    changes = changes || begins_with_word(rest, "create") || begins_with_word(rest, "alter");
    if (changes && (begins_with_word(rest, "role") || begins_with_word(rest, "user") || begins_with_word(rest, "group")))
      return true;
  }
  return false;
}

bool is_program_option(std::string_view text, std::size_t at) { return at >= 2 && text.substr(at - 2, 2) == "--"; }

ValueRange bare_password(std::string_view text, const Keyword& word) {
  const std::size_t value = skip_gap(text, word.end);
  if (value == word.end || !(names_role_before(text, word.begin) || is_program_option(text, word.begin))) return {};
  std::size_t end = value;
  while (end < text.size() && !is_blank(text[end]) && text[end] != ';') ++end;
  const std::string_view next = text.substr(value, end - value);
  const bool is_option = std::any_of(std::begin(kWordsOfRoles), std::end(kWordsOfRoles), [&](std::string_view option) {
    return next.size() == option.size() && begins_with_word(next, option);
  });
  return is_option || begins_with(next, kRedacted) ? ValueRange{} : ValueRange{value, end};
}

ValueRange password(std::string_view text, const Keyword& word) {
  const ValueRange value = value_after(text, {word.begin, word.end, true});
  return value.empty() ? bare_password(text, word) : value;
}

ValueRange value(std::string_view text, const Keyword& word) { return value_after(text, word); }

ValueRange url_of_libpq(std::string_view text, const Keyword& word) { return {word.begin, end_of_bare_value(text, word.begin)}; }

// //user:password@host, //token@host
ValueRange user_of_url(std::string_view text, const Keyword& word) {
  const std::string_view rest = text.substr(word.end);
  const std::string_view authority = rest.substr(0, rest.find_first_of("/?# \t\n'\""));
  const std::size_t sign = authority.rfind('@');
  return sign == std::string_view::npos ? ValueRange{} : ValueRange{word.end, word.end + sign};
}

ValueRange verifier(std::string_view text, const Keyword& word) { return {word.begin, end_of_bare_value(text, word.begin)}; }

ValueRange md5_verifier(std::string_view text, const Keyword& word) {
  constexpr std::size_t kDigits = 32;
  std::size_t end = word.end;
  while (end < text.size() && end - word.end <= kDigits && is_hex_digit(text[end])) ++end;
  const bool whole = end - word.end == kDigits && (end == text.size() || !is_word(text[end]));
  return whole && begins_word(text, word.begin) ? ValueRange{word.begin, end} : ValueRange{};
}

// The literal of CREATE SUBSCRIPTION ... CONNECTION.
ValueRange literal_behind(std::string_view text, const Keyword& word) {
  const std::size_t at = skip_gap(text, word.end);
  if (at >= text.size() || is_digit(text[at])) return {};
  return {at, end_of_literal(text, at)};
}

// All arguments of a function, or options of a server. Within a literal the quotes are not what they seem: whichever end is
// later.
ValueRange parenthesis(std::string_view text, const Keyword& word) {
  if (!begins_word(text, word.begin)) return {};
  std::size_t at = word.end;
  while (at < text.size() && at - word.end < 32 && is_word(text[at])) ++at;
  at = skip_gap(text, at);
  if (at >= text.size() || text[at] != '(') return {};
  std::size_t depth = 0;
  std::size_t end = at;
  do {
    if (text[end] == '(') ++depth;
    if (text[end] == ')') --depth;
    ++end;
  } while (depth > 0 && end < text.size());
  end = std::max(end, end_of_parenthesis(text, at));
  return {at + 1, text[end - 1] == ')' ? end - 1 : end};
}

constexpr std::string_view kConninfoWords[] = {"host",
                                               "hostaddr",
                                               "port",
                                               "dbname",
                                               "user",
                                               "password",
                                               "passfile",
                                               "service",
                                               "sslmode",
                                               "sslkey",
                                               "sslpassword",
                                               "application_name",
                                               "connect_timeout",
                                               "options",
                                               "target_session_attrs",
                                               "client_encoding",
                                               "channel_binding",
                                               "require_auth"};

// 'host=h password=p': the literal, whole.
ValueRange conninfo_literal(std::string_view text, const Keyword& word) {
  constexpr std::size_t kLongestWord = 32;
  const std::size_t begin = skip_blanks(text.substr(0, word.end + kLongestWord), word.end);
  std::size_t end = begin;
  while (end < text.size() && end - begin < kLongestWord && is_word(text[end])) ++end;
  const std::string_view name = text.substr(begin, end - begin);
  const std::size_t sign = skip_gap(text, end);
  if (sign >= text.size() || text[sign] != '=') return {};
  const bool known = std::find(std::begin(kConninfoWords), std::end(kConninfoWords), name) != std::end(kConninfoWords);
  return known ? ValueRange{word.begin, end_of_literal(text, word.begin)} : ValueRange{};
}

// "Bearer abc123": long enough to be no word of a sentence.
ValueRange http_token(std::string_view text, const Keyword& word) {
  constexpr std::size_t kLeastBytes = 8;
  std::size_t end = word.end;
  while (end < text.size() && (is_word(text[end]) || std::string_view("-._~+/=").find(text[end]) != std::string_view::npos))
    ++end;
  return end - word.end >= kLeastBytes && begins_word(text, word.begin) ? ValueRange{word.end, end} : ValueRange{};
}

// RFC 7519: base64url of {"..., a point, and more.
ValueRange json_web_token(std::string_view text, const Keyword& word) {
  constexpr std::size_t kLongestHeader = 1024;
  const auto goes_on = [&](std::size_t at) { return at < text.size() && (is_word(text[at]) || text[at] == '-'); };
  std::size_t end = word.end;
  while (goes_on(end) && end - word.end < kLongestHeader) ++end;
  if (end >= text.size() || text[end] != '.' || !begins_word(text, word.begin)) return {};
  while (goes_on(end) || (end < text.size() && text[end] == '.')) ++end;
  return {word.begin, end};
}

// AKIA or ASIA and 16 more letters and digits.
ValueRange aws_key_id(std::string_view text, const Keyword& word) {
  constexpr std::size_t kBytes = 20;
  std::size_t end = word.begin;
  while (end < text.size() && end - word.begin <= kBytes && is_word(text[end])) ++end;
  const bool is_capital = text[word.begin] == 'A';
  return is_capital && end - word.begin == kBytes && begins_word(text, word.begin) ? ValueRange{word.begin, end} : ValueRange{};
}

// PEM (RFC 7468), to the line that ends it.
ValueRange pem(std::string_view text, const Keyword& word) {
  const std::string_view label = text.substr(word.end, text.substr(word.end, 64).find("-----"));
  if (label.size() > 64 || label.find("PRIVATE KEY") == std::string_view::npos) return {};
  const std::size_t end = text.find("-----END ", word.end);
  return {word.begin, end == std::string_view::npos ? text.size() : end};
}

// A URL's password that reached a message as a part of the host.
ValueRange host_with_password(std::string_view text, const Keyword& word) {
  const std::string_view name = text.substr(word.end, text.substr(word.end).find('"'));
  const std::size_t sign = name.rfind('@');
  return sign == std::string_view::npos ? ValueRange{} : ValueRange{word.end, word.end + sign};
}

// fe-connect.c, conninfo_parse: the word after which it expected "=" may be a piece of a password with a blank in it.
ValueRange quoted_of_conninfo(std::string_view text, const Keyword& word) {
  constexpr std::size_t kReachBytes = 4096;
  const std::size_t length = text.substr(word.end, kReachBytes).find("\" in connection info string");
  return length == std::string_view::npos ? ValueRange{} : ValueRange{word.end, word.end + length};
}

struct Rule {
  std::string_view word;  // lower case
  Finder find;
};

// By the first character, so that most characters of a text are done with at once.
constexpr Rule kRules[] = {
    {"'", conninfo_literal},
    {"-----begin ", pem},
    {"://", user_of_url},
    {"access_key", value},
    {"akia", aws_key_id},
    {"api_key", value},
    {"apikey", value},
    {"asia", aws_key_id},
    {"basic ", http_token},
    {"bearer ", http_token},
    {"conninfo", password},
    {"connection", literal_behind},
    {"credential", value},
    {"crypt", parenthesis},
    {"dblink", parenthesis},
    {"decrypt", parenthesis},
    {"encrypt", parenthesis},
    {"eyj", json_web_token},
    {"host name \"", host_with_password},
    {"hmac", parenthesis},
    {"md5", md5_verifier},
    {"missing \"=\" after \"", quoted_of_conninfo},
    {"options", parenthesis},
    {"passphrase", password},
    {"passwd", password},
    {"password", password},
    {"passcode", value},
    {"pgp_pub_decrypt", parenthesis},
    {"pgp_sym_", parenthesis},
    {"postgres://", url_of_libpq},
    {"postgresql://", url_of_libpq},
    {"private_key", value},
    {"pwd", password},
    {"scram-sha-256$", verifier},
    {"scram_client_key", value},
    {"scram_server_key", value},
    {"secret", password},
    {"token", value},
};

struct RuleRange {
  unsigned char begin = 0;
  unsigned char end = 0;
};

constexpr std::array<RuleRange, 256> rules_by_first_character() {
  std::array<RuleRange, 256> ranges{};
  for (std::size_t i = 0; i < std::size(kRules); ++i) {
    const char first = kRules[i].word[0];
    for (const char c : {first, is_letter(first) ? static_cast<char>(first - 'a' + 'A') : first}) {
      RuleRange& range = ranges[static_cast<unsigned char>(c)];
      if (range.end == 0) range.begin = static_cast<unsigned char>(i);
      range.end = static_cast<unsigned char>(i + 1);
    }
  }
  return ranges;
}

constexpr std::array<RuleRange, 256> kRulesOf = rules_by_first_character();

ValueRange credential_at(std::string_view text, std::size_t at) {
  const RuleRange range = kRulesOf[static_cast<unsigned char>(text[at])];
  for (std::size_t i = range.begin; i < range.end; ++i) {
    const std::string_view word = kRules[i].word;
    if (!begins_with_word(text.substr(at), word)) continue;
    const ValueRange found = kRules[i].find(text, {at, at + word.size(), false});
    if (!found.empty()) return found;
  }
  return {};
}

}  // namespace

void find_credentials(std::string_view text, Spans& spans) {
  for (std::size_t at = 0; at < text.size();) {
    const ValueRange found = credential_at(text, at);
    if (!found.empty()) spans.push_back({found.begin, found.end, PrivateKind::kCredential});
    at = found.empty() ? at + 1 : std::max(found.end, at + 1);
  }
}

std::string without_credentials(std::string_view text) {
  Spans spans;
  find_credentials(text, spans);
  return without_spans(text, std::move(spans), Redaction::kNone);
}

bool sets_role_password(std::string_view sql) {
  constexpr std::string_view kWord = "password";
  for (std::size_t at = 0; at + kWord.size() <= sql.size(); ++at) {
    if (begins_with_word(sql.substr(at), kWord) && names_role_before(sql, at)) return true;
  }
  return false;
}

}  // namespace pganalytics::logs
