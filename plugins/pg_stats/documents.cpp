#include "plugins/pg_stats/documents.h"

#include <algorithm>
#include <utility>

namespace pganalytics::pg_stats {
namespace {

// Large enough for most runs, small enough that neither we nor the host hold much at a time.
constexpr std::size_t kBytesWanted = 256 << 10;
// The host takes 32 MiB from a run (docs/ARCHITECTURE.md); errors and readings must fit in, too.
constexpr std::size_t kRunBytesMax = 28 << 20;

void append(std::string& list, std::string_view item) {
  if (!list.empty()) list += ',';
  list += item;
}

}  // namespace

Documents::Documents(Run& run, Members head)
    : run_(run), head_(std::move(head)), bytes_wanted_(std::min(kBytesWanted, run.max_document_bytes() / 2)) {}

void Documents::open_document() {
  if (std::exchange(open_, true)) return;
  json_.begin_object().member("type", "pg_stats").member("timestamp", run_.timestamp());
  head_(json_);
}

void Documents::open_database(std::string_view name) {
  open_document();
  if (!std::exchange(in_databases_, true)) json_.key("databases").begin_array();
  json_.begin_object().member("name", name);
  in_database_ = true;
  database_ = name;
}

Outcome Documents::close_database() {
  json_.end_object();
  in_database_ = false;
  return json_.text().size() > bytes_wanted_ ? split() : Outcome();
}

void Documents::open_family(std::string_view name, Members head) {
  open_document();
  family_ = name;
  family_head_ = std::move(head);
  in_family_ = true;
  json_.key(family_).begin_object();
  family_head_(json_);
  json_.key("rows").begin_array();
}

bool Documents::begin_row() {
  if (bytes() > kRunBytesMax) return false;
  json_.begin_object();
  return true;
}

Outcome Documents::end_row() {
  json_.end_object();
  return json_.text().size() > bytes_wanted_ ? split() : Outcome();
}

void Documents::close_family(const Members& tail) {
  json_.end_array();
  tail(json_);
  json_.end_object();
  in_family_ = false;
}

void Documents::add_object(std::string_view name, const Members& members) {
  open_document();
  json_.key(name).begin_object();
  members(json_);
  json_.end_object();
}

void Documents::add(const Problem& problem) {
  JsonWriter json;
  to_json(json, problem);
  append(problems_, json.text());
}

void Documents::add_reading(std::string_view json_object) { append(readings_, json_object); }

// Ends what is open, emits, and opens it again.
Outcome Documents::split() {
  const bool family = in_family_, database = in_database_;
  if (family) close_family([](JsonWriter&) {});
  if (std::exchange(in_database_, false)) json_.end_object();
  PGA_CHECK(emit());
  if (database) open_database(std::string(database_));
  if (family) open_family(std::string(family_), family_head_);
  return {};
}

Outcome Documents::emit() {
  open_document();
  if (!std::exchange(in_databases_, false)) json_.key("databases").begin_array();
  json_.end_array();
  json_.key("errors").json("[" + problems_ + "]").key("readings").json("[" + readings_ + "]").end_object();
  problems_.clear();
  readings_.clear();
  emitted_bytes_ += json_.text().size();
  const Outcome taken = run_.emit(json_.text());
  json_.clear();
  open_ = false;
  emitted_ = true;
  return taken;
}

Outcome Documents::finish() {
  if (emitted_ && !open_ && problems_.empty() && readings_.empty()) return {};
  return emit();
}

}  // namespace pganalytics::pg_stats
