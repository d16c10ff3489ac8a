#include "plugins/logs/documents.h"

#include "plugins/logs/classes/classify.h"
#include "plugins/logs/classes/fields_of.h"
#include "plugins/logs/privacy/redact.h"

#include <algorithm>
#include <utility>

namespace pganalytics::logs {
namespace {

constexpr std::string_view kCountNames[] = {"debug", "log", "info", "notice", "warning", "error", "fatal", "panic", "other"};
constexpr std::size_t kFrameBytes = 512;  // of a document without events, files and errors
constexpr std::size_t kMaxListed = 20;    // files, and errors, of one document
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

Outcome Documents::add(Event event) {
  ++counts_[event.severity ? static_cast<std::size_t>(*event.severity) : counts_.size() - 1];
  counted_ = true;
  if (!config_.wants(event.severity)) return {};
  const EventClass* const event_class = classify(event);
  if (event_class != nullptr) add_fields(event, *event_class);
  redact(event, config_.redact, event_class != nullptr);
  if (event_class != nullptr) describe(event, *event_class);
  const std::size_t room = run_.max_document_bytes() - std::min(run_.max_document_bytes(), kFrameBytes);
  const std::string json = event_json(event, room);
  if (event_count_ == config_.events_per_document || (event_count_ > 0 && events_.size() + 1 + json.size() > room)) {
    PGA_CHECK(emit("[]", "[]"));
    ++counts_[event.severity ? static_cast<std::size_t>(*event.severity) : counts_.size() - 1];
    counted_ = true;
  }
  if (event_count_++ > 0) events_ += ',';
  events_ += json;
  return {};
}

Outcome Documents::finish(const std::vector<FollowedFile>& read_files, const std::vector<Problem>& problems) {
  if (!counted_ && problems.empty()) return {};
  const std::string files = files_json(read_files);
  const std::string errors = errors_json(problems);
  const bool fits = events_.size() + files.size() + errors.size() + kFrameBytes <= run_.max_document_bytes();
  if (!fits && event_count_ > 0) PGA_CHECK(emit("[]", "[]"));
  return emit(files, errors);
}

Outcome Documents::emit(std::string_view files, std::string_view errors) {
  JsonWriter json;
  json.begin_object().member("type", "logs").member("timestamp", run_.timestamp());
  json.key("events").json("[" + events_ + "]").key("files").json(files);
  json.key("counts").begin_object();
  for (std::size_t i = 0; i < counts_.size(); ++i) json.member(kCountNames[i], counts_[i]);
  if (own_entries_ > 0) json.member("own", std::exchange(own_entries_, 0));
  json.end_object().key("errors").json(errors).end_object();
  events_.clear();
  event_count_ = 0;
  counts_.fill(0);
  counted_ = false;
  return run_.emit(json.text());
}

}  // namespace pganalytics::logs
