#include "plugins/logs/documents.h"

#include "plugins/logs/classes/classify.h"
#include "plugins/logs/classes/fields_of.h"
#include "plugins/logs/plans/read_plan.h"
#include "plugins/logs/privacy/redact.h"

#include <algorithm>
#include <utility>

namespace pganalytics::logs {
namespace {

constexpr std::size_t kFrameBytes = 512;        // of a document without events, classes, files and errors
constexpr std::size_t kLeastEventBytes = 2048;  // event_json() takes no less
// What one run may say is the host's to limit (SupervisorOptions: 32 MiB, 10,000 documents); well before that a run ends.
constexpr std::size_t kMaxRunBytes = 30 << 20;
constexpr std::size_t kFullRunBytes = 16 << 20;
constexpr std::size_t kFullRunDocuments = 8'000;
constexpr std::size_t kMaxListed = 20;  // files, and errors, of one document
constexpr std::size_t kMaxListedTextBytes = 1024;

std::string files_json(const std::vector<FollowedFile>& files) {
  JsonWriter json;
  json.begin_array();
  for (std::size_t i = 0; i < std::min(files.size(), kMaxListed); ++i) {
    const Cursor& cursor = files[i].cursor;
    json.begin_object().member("path", std::string_view(cursor.path).substr(0, kMaxListedTextBytes));
    json.member("inode", cursor.id.inode).member("offset_bytes", cursor.offset).member("size_bytes", cursor.size).end_object();
  }
  json.end_array();
  return std::string(json.text());
}

std::string errors_json(const std::vector<Problem>& problems) {
  JsonWriter json;
  json.begin_array();
  for (std::size_t i = 0; i < std::min(problems.size(), kMaxListed); ++i) {
    json.begin_object().member("code", problems[i].code);
    json.member("message", std::string_view(problems[i].message).substr(0, kMaxListedTextBytes)).end_object();
  }
  if (problems.size() > kMaxListed) {
    json.begin_object()
        .member("code", "logs.more")
        .member("message", std::to_string(problems.size() - kMaxListed) + " more problems");
    json.end_object();
  }
  json.end_array();
  return std::string(json.text());
}

}  // namespace

Outcome Documents::add(Event& event) {
  const EventClass* const event_class = classify(event);
  const Kind kind{class_number(event_class), event.severity};
  event.sampled_one_in = config_.wants(kind) ? sampling_.stands_for(kind, event.message) : 0;
  if (event.sampled_one_in > 0) return deliver(event, kind, event_class);
  if (size_with(kind, 0) > run_.max_document_bytes()) PGA_CHECK(emit("[]", "[]"));
  counts_.add(kind, false);
  return {};
}

Outcome Documents::deliver(Event& event, const Kind& kind, const EventClass* event_class) {
  if (event_class != nullptr) {
    add_fields(event, *event_class);
    add_plan(event, *event_class);
  }
  redact(event, config_.redact, event_class != nullptr);
  if (event_class != nullptr) describe(event, *event_class);
  const std::string json = event_json(event, room_of_event());
  const bool fits = event_count_ < config_.events_per_document && size_with(kind, json.size()) <= run_.max_document_bytes();
  if (!fits && !counts_.empty()) PGA_CHECK(emit("[]", "[]"));
  counts_.add(kind, true);
  sampling_.delivered(json.size());
  if (event_count_++ > 0) events_ += ',';
  events_ += json;
  return {};
}

bool Documents::full() const {
  return emitted_bytes_ + events_.size() >= kFullRunBytes || emitted_documents_ >= kFullRunDocuments;
}

// In an empty document, and in what is left of the run: entries that were open when it was full are still to come.
std::size_t Documents::room_of_event() const {
  const std::size_t said = emitted_bytes_ + events_.size();
  const std::size_t in_run = (kMaxRunBytes - std::min(said, kMaxRunBytes)) / 2;
  const std::size_t in_document =
      run_.max_document_bytes() - std::min(run_.max_document_bytes(), kFrameBytes + ClassCounts::kMostKindBytes);
  return std::max(std::min(in_document, in_run), kLeastEventBytes);
}

std::size_t Documents::size_with(const Kind& kind, std::size_t event_bytes) const {
  return kFrameBytes + counts_.bytes_with(kind) + events_.size() + 1 + event_bytes;
}

Outcome Documents::finish(const std::vector<FollowedFile>& read_files, const std::vector<Problem>& problems) {
  if (counts_.empty() && problems.empty()) return {};
  const std::string files = files_json(read_files);
  const std::string errors = errors_json(problems);
  const std::size_t listed = kFrameBytes + files.size() + errors.size();
  const bool fits = listed + counts_.bytes() + events_.size() <= run_.max_document_bytes();
  if (!fits && !counts_.empty()) PGA_CHECK(emit("[]", "[]"));
  return emit(files, errors);
}

Outcome Documents::emit(std::string_view files, std::string_view errors) {
  JsonWriter json;
  json.begin_object().member("type", "logs").member("timestamp", run_.timestamp());
  json.key("events").json("[" + events_ + "]").key("files").json(files).key("counts").begin_object();
  counts_.write_by_severity(json);
  if (own_entries_ > 0) json.member("own", std::exchange(own_entries_, 0));
  json.end_object();
  json.key("classes");
  counts_.write(json);
  json.key("errors").json(errors).end_object();
  events_.clear();
  event_count_ = 0;
  counts_.clear();
  ++emitted_documents_;
  emitted_bytes_ += json.text().size();
  return run_.emit(json.text());
}

}  // namespace pganalytics::logs
