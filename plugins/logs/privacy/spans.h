// What is private in a text, as spans of bytes, and their replacement. Pure; any thread.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace pganalytics::logs {

// How much is hidden: the configuration's `redact`. Each hides what the next one does, and more.
enum class Redaction { kAll, kParameters, kNone };

enum class PrivateKind {
  kComment,       // within a statement
  kLiteral,       // within a statement: a number or a string
  kStatement,     // the text of one, whole
  kParameter,     // what was bound to $1
  kData,          // rows, and values that a message quotes
  kForeign,       // what is not the server's own: said by a function (RAISE), or by another program
  kUnrecognised,  // of the server as far as we see, but not known to hold nothing private
  kCredential,    // passwords, their verifiers, keys, connection strings
};

constexpr bool hides(Redaction mode, PrivateKind kind) {
  if (mode == Redaction::kNone) return kind == PrivateKind::kCredential;
  return mode == Redaction::kAll || (kind != PrivateKind::kStatement && kind != PrivateKind::kUnrecognised);
}

// Bytes [begin, end) of a text.
struct Span {
  std::size_t begin = 0;
  std::size_t end = 0;
  PrivateKind kind = PrivateKind::kData;
};

using Spans = std::vector<Span>;

inline constexpr std::string_view kRedacted = "[redacted]";
inline constexpr char kMaskedLiteral = '?';

// `text` without the spans that `mode` hides, in any order and overlapping as they may. In their place stands kMaskedLiteral for
// literals, a blank for comments, kRedacted for everything else; spans that touch are one.
std::string without_spans(std::string_view text, Spans spans, Redaction mode);

}  // namespace pganalytics::logs
