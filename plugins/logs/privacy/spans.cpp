#include "plugins/logs/privacy/spans.h"

#include <algorithm>

namespace pganalytics::logs {
namespace {

// Of two kinds that touch, the one that says more about what stood there.
PrivateKind stronger(PrivateKind a, PrivateKind b) { return std::max(a, b); }

void append_replacement(std::string& text, PrivateKind kind) {
  switch (kind) {
    case PrivateKind::kComment: text += ' '; return;
    case PrivateKind::kLiteral: text += kMaskedLiteral; return;
    default: text += kRedacted; return;
  }
}

}  // namespace

std::string without_spans(std::string_view text, Spans spans, Redaction mode) {
  spans.erase(std::remove_if(spans.begin(), spans.end(),
                             [&](const Span& span) { return span.end <= span.begin || !hides(mode, span.kind); }),
              spans.end());
  std::sort(spans.begin(), spans.end(), [](const Span& a, const Span& b) { return a.begin < b.begin; });
  std::string rest;
  std::size_t kept_from = 0;
  for (std::size_t i = 0; i < spans.size();) {
    Span whole = spans[i];
    for (++i; i < spans.size() && spans[i].begin <= whole.end; ++i) {
      whole.end = std::max(whole.end, spans[i].end);
      whole.kind = stronger(whole.kind, spans[i].kind);
    }
    rest.append(text.substr(kept_from, whole.begin - kept_from));
    append_replacement(rest, whole.kind);
    kept_from = whole.end;
  }
  rest.append(text.substr(kept_from));
  return rest;
}

}  // namespace pganalytics::logs
