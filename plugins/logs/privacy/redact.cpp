#include "plugins/logs/privacy/redact.h"

#include "plugins/logs/privacy/credentials.h"
#include "plugins/logs/privacy/report_texts.h"
#include "plugins/logs/privacy/statement.h"

#include <initializer_list>
#include <string>
#include <tuple>
#include <utility>

namespace pganalytics::logs {
namespace {

// A message about a statement that sets a password quotes the statement: at or near "hunter2".
bool may_quote_password(const Event& event) {
  return event.message.find('"') != std::string::npos &&
         (sets_role_password(event.statement) || sets_role_password(event.internal_query));
}

void make_credentials(Spans& spans) {
  for (Span& span : spans) {
    if (span.kind == PrivateKind::kData) span.kind = PrivateKind::kCredential;
  }
}

class Redactor {
 public:
  explicit Redactor(Redaction mode) : mode_(mode) {}

  void credentials_only(std::string& text) const { replace(text, {}); }

  void statement(std::string& text) const {
    Spans spans = {{0, text.size(), PrivateKind::kStatement}};
    if (mode_ == Redaction::kParameters) find_literals(text, 0, StatementEnd::kText, spans);
    replace(text, std::move(spans));
  }

  void replace(std::string& text, Spans spans) const {
    if (text.empty()) return;
    find_credentials(text, spans);
    if (!spans.empty()) text = without_spans(text, std::move(spans), mode_);
  }

 private:
  const Redaction mode_;
};

}  // namespace

std::optional<Redaction> parse_redaction(std::string_view word) {
  if (word == "all") return Redaction::kAll;
  if (word == "parameters") return Redaction::kParameters;
  if (word == "none") return Redaction::kNone;
  return std::nullopt;
}

void redact(Event& event, Redaction mode, bool has_class) {
  // Every member is named here, and whoever adds one has to say below what becomes of it.
  auto& [unix_ms, time_text, pid, severity, sqlstate, user, database, application, message, detail, hint, context, statement,
         cursor_position, internal_query, internal_position, location, backtrace, remote_host, remote_port, session_id,
         session_line, session_start_unix_ms, command, virtual_transaction, transaction, backend_type, leader_pid, query_id,
         class_name, fields, plan, truncated_bytes, sampled_one_in] = event;
  const Redactor redactor(mode);

  Spans in_message;
  Spans in_detail;
  Spans in_hint;
  Spans in_context;
  find_in_message(event, has_class, in_message);
  find_in_detail(event, in_detail);
  if (is_foreign(event)) in_hint.push_back({0, hint.size(), PrivateKind::kForeign});
  find_in_context(context, in_context);
  if (may_quote_password(event)) make_credentials(in_message);

  redactor.replace(message, std::move(in_message));
  redactor.replace(detail, std::move(in_detail));
  redactor.replace(hint, std::move(in_hint));
  redactor.replace(context, std::move(in_context));
  redactor.statement(statement);
  redactor.statement(internal_query);
  for (std::string* const name : {&time_text, &user, &database, &application, &location, &backtrace, &remote_host, &session_id,
                                  &command, &virtual_transaction, &backend_type}) {
    redactor.credentials_only(*name);
  }
  // Numbers and words of a closed set. Fields and plan have nothing private by what may become one (classes/field_table.h,
  // plans/plan.h); more fields come later, from the message as it is now.
  static_cast<void>(std::tie(unix_ms, pid, severity, sqlstate, cursor_position, internal_position, remote_port, session_line,
                             session_start_unix_ms, transaction, leader_pid, query_id, class_name, fields, plan, truncated_bytes,
                             sampled_one_in));
}

}  // namespace pganalytics::logs
