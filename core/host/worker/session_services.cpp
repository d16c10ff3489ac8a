// Session: what the plugin may call while it is called, pga_host and pga_run.
#include <rapidjson/reader.h>

#include <algorithm>
#include <cstring>
#include <ctime>
#include <utility>

#include "core/host/worker/session.h"
#include "core/host/worker/session_run.h"

namespace pganalytics::worker {
namespace {

std::int64_t monotonic_ns() {
  std::timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<std::int64_t>(now.tv_sec) * 1'000'000'000 + now.tv_nsec;
}

// Is the text one JSON object? Whether it is the right one, the host finds out; this tells the plugin at its own emit().
bool is_json_object(std::string_view text) {
  if (const std::size_t first = text.find_first_not_of(" \t\r\n"); first == std::string_view::npos || text[first] != '{')
    return false;
  rapidjson::MemoryStream bytes(text.data(), text.size());
  rapidjson::BaseReaderHandler<> nobody;
  constexpr unsigned kStrict = rapidjson::kParseIterativeFlag | rapidjson::kParseValidateEncodingFlag;
  return !rapidjson::Reader().Parse<kStrict>(bytes, nobody).IsError();
}

}  // namespace

pga_status Session::emit(std::uint64_t number, std::string_view json) {
  if (run_ == nullptr || run_->number != number) {
    log(PGA_LOG_ERROR, "emit() was called when its run was over");
    return PGA_E_FAIL;
  }
  Run& run = *run_;
  if (run.cancelled) return PGA_E_DEADLINE;
  const auto refuse = [&run](pga_status status, const char* code, std::string why) {
    if (run.refused++ == 0) run.refusal = {status, code, std::move(why), 0};
    return status;
  };
  if (json.size() > settings_.document_bytes_max) {
    return refuse(
        PGA_E_LIMIT, "document.too_large",
        "a document of " + std::to_string(json.size()) + " bytes is larger than " + std::to_string(settings_.document_bytes_max));
  }
  if (run.documents == settings_.documents_max || run.bytes + json.size() > settings_.run_bytes_max) {
    return refuse(
        PGA_E_LIMIT, "document.too_many",
        "the run has " + std::to_string(run.documents) + " documents of " + std::to_string(run.bytes) + " bytes already");
  }
  if (!is_json_object(json)) return refuse(PGA_E_FAIL, "document.malformed", "a document is not a JSON object");
  if (!wait_for_credit(run, json.size())) return PGA_E_DEADLINE;
  ++run.documents;
  run.bytes += json.size();
  link_->send(host::FrameType::kDocument, run.number, json);
  return PGA_OK;
}

// Back-pressure: while the host holds enough, the plugin waits here. False: its run was cancelled meanwhile.
bool Session::wait_for_credit(Run& run, std::size_t bytes) {
  std::unique_lock<std::mutex> lock(running_);
  may_send_.wait(lock, [&] { return run.cancelled || run.credit_bytes >= bytes; });
  if (run.cancelled) return false;
  run.credit_bytes -= bytes;
  return true;
}

// What the host would drop is not worth sending.
void Session::log(std::uint32_t level, std::string_view text) {
  level = std::clamp(level, PGA_LOG_ERROR, PGA_LOG_DEBUG);  // of a later minor: the nearest known one
  if (level > log_level_) return;
  constexpr std::size_t kTextBytesMax = 8192;
  std::uint64_t dropped = 0;
  {
    const std::lock_guard<std::mutex> lock(logging_);
    if (!log_lines_.open(monotonic_ns())) {
      ++dropped_lines_;
      return;
    }
    log_lines_.take(1);
    dropped = std::exchange(dropped_lines_, 0);
  }
  link_->send(host::FrameType::kLog, 0, host::pack(host::LogMessage{level, std::string(text.substr(0, kTextBytesMax)), dropped}));
}

pga_status Session::serve_answer(Session& session, std::uint32_t kind, const char* name, char* buf, size_t* len) {
  constexpr std::size_t kNameLengthMax = 1024;
  if (strnlen(name, kNameLengthMax + 1) > kNameLengthMax) return PGA_E_NOTFOUND;  // nothing has such a name
  const host::AnswerMessage answer = session.link_->ask(kind, name);
  return answer.status == PGA_OK ? hosting::hand_out(&answer.value, buf, len) : answer.status;
}

// The two tables. Nothing may throw into the plugin: out of memory ends the process, and the host starts another.
pga_host Session::make_table(Session* session) {
  static constexpr auto self = [](const pga_host* host) -> Session& { return *static_cast<Session*>(host->ctx); };
  pga_host table{};
  table.struct_size = sizeof table;
  table.abi_minor = PGA_ABI_MINOR;
  table.ctx = session;
  table.product = "pganalytics";
  table.version = PGANALYTICS_VERSION;
  table.log = [](const pga_host* host, std::uint32_t level, pga_str text) noexcept {
    self(host).log(level, {text.data, text.len});
  };
  table.log_level = [](const pga_host* host) noexcept -> std::uint32_t { return self(host).log_level_; };
  table.state_get = [](const pga_host* host, const char* key, char* buf, size_t* len) noexcept -> pga_status {
    return hosting::hand_out(self(host).state_->get(key), buf, len);
  };
  table.state_set = [](const pga_host* host, const char* key, pga_str value) noexcept -> pga_status {
    Session& session_now = self(host);
    if (session_now.run_ == nullptr) return PGA_E_UNSUPPORTED;
    if (value.data == nullptr) return session_now.state_->set(key, std::nullopt);
    return session_now.state_->set(key, std::string_view(value.data, value.len));
  };
  table.secret_get = [](const pga_host* host, const char* name, char* buf, size_t* len) noexcept -> pga_status {
    return serve_answer(self(host), host::AskMessage::kSecret, name, buf, len);
  };
  table.info_get = [](const pga_host* host, const char* key, char* buf, size_t* len) noexcept -> pga_status {
    return serve_answer(self(host), host::AskMessage::kFact, key, buf, len);
  };
  table.get_extension = [](const pga_host*, const char*) noexcept -> const void* { return nullptr; };
  return table;
}

pga_run Session::make_run(Session* session, const Run& run, const host::CollectMessage& message) {
  pga_run table{};
  table.struct_size = sizeof table;
  table.reason = message.reason;
  table.ctx = session;
  table.sequence = run.number;
  table.scheduled_unix_ns = message.scheduled_unix_ns;
  table.previous_unix_ns = message.previous_unix_ns;
  table.deadline_mono_ns = monotonic_ns() + message.remaining_ns;
  table.cancel_fd = run.cancel_fd;
  table.max_document_bytes = session->settings_.document_bytes_max;
  table.cancelled = [](const pga_run* self) noexcept -> std::uint32_t {
    const Run* const now = static_cast<Session*>(self->ctx)->run_;
    return now == nullptr || now->cancelled ? 1 : 0;
  };
  table.emit = [](const pga_run* self, pga_str json) noexcept -> pga_status {
    return static_cast<Session*>(self->ctx)->emit(self->sequence, {json.data, json.len});
  };
  return table;
}

}  // namespace pganalytics::worker
