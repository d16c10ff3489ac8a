#include "core/host/worker/session.h"

#include <rapidjson/reader.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <ctime>
#include <utility>

#include "core/host/worker/library.h"

namespace pganalytics::worker {
namespace {

std::int64_t monotonic_ns() {
  std::timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<std::int64_t>(now.tv_sec) * 1'000'000'000 + now.tv_nsec;
}

host::Verdict verdict_of(pga_status status, const pga_error& error) {
  return host::Verdict::of(hosting::error_of(hosting::known_status(status), error));
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

// The descriptor becomes readable on cancel and belongs to one run: a cancel that comes late cannot reach the next one.
struct Session::Run {
  explicit Run(std::uint64_t run_number) : number(run_number), cancel_fd(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}
  Run(const Run&) = delete;
  Run& operator=(const Run&) = delete;
  ~Run() {
    if (cancel_fd >= 0) close(cancel_fd);
  }

  std::uint64_t number;
  int cancel_fd;
  std::atomic<bool> cancelled{false};
  pga_run table{};
  std::uint64_t bytes = 0;
  std::uint32_t documents = 0, refused = 0;
  host::Verdict refusal;  // of the first refused document
};

Session::Session() : table_(make_table(this)) {}
Session::~Session() { destroy(); }

bool Session::serve(Link& link, const host::LoadMessage& what, Expected<Gaps> confined) {
  link_ = &link;
  host::HelloMessage hello;
  if (confined) {
    hello = load(what);
    hello.gaps = std::move(*confined);
  } else {
    hello.verdict = host::Verdict::of(std::move(confined).error());
  }
  link.send(host::FrameType::kHello, 0, host::pack(std::move(hello)));
  for (;;) {
    const host::Frame frame = link.receive();
    if (frame.type == host::FrameType::kShutdown) {
      destroy();  // while the link is there for its last words
      return true;
    }
    if (!obey(frame)) return false;
  }
}

// A message that does not unpack means that host and worker are not of one build: nothing to go on with.
bool Session::obey(const host::Frame& frame) {
  switch (frame.type) {
    case host::FrameType::kStart: {
      auto message = host::unpack<host::StartMessage>(frame.payload);
      if (message) start(std::move(*message));
      return message.has_value();
    }
    case host::FrameType::kConfigure: {
      const auto message = host::unpack<host::ConfigureMessage>(frame.payload);
      if (message) configure(*message);
      return message.has_value();
    }
    case host::FrameType::kCollect: {
      const auto message = host::unpack<host::CollectMessage>(frame.payload);
      if (!message) return false;
      collect(frame.run, *message);
      return true;
    }
    case host::FrameType::kSettle: {
      const auto message = host::unpack<host::SettleMessage>(frame.payload);
      if (!message || !state_) return false;
      state_->settle(message->committed != 0);
      return true;
    }
    default: return false;
  }
}

host::HelloMessage Session::load(const host::LoadMessage& message) {
  host::HelloMessage hello;
  auto loaded = load_plugin(message.path, message.id);
  if (loaded) {
    plugin_ = *loaded;
    const pga_descriptor& from = *plugin_->descriptor;
    hello.info = {from.id,
                  {},
                  from.version,
                  from.vendor,
                  from.description,
                  from.license,
                  from.url,
                  from.config_schema,
                  from.output_schema,
                  plugin_->abi_minor,
                  from.needs,
                  from.flags,
                  from.default_interval_ms,
                  from.default_timeout_ms,
                  {},
                  {}};
    hello.aliases = from.aliases;
  } else {
    hello.verdict = host::Verdict::of(std::move(loaded).error());
  }
  return hello;
}

void Session::start(host::StartMessage message) {
  settings_ = std::move(message);
  log_level_ = settings_.log_level;
  state_ = std::make_unique<hosting::StagedState>(settings_.state);
  if (plugin_ != nullptr) created_ = create();
}

void Session::configure(const host::ConfigureMessage& message) {
  host::Verdict verdict = created_;
  if (verdict.status == PGA_OK) verdict = call_configure(message.json, message.dry_run);
  if (verdict.status == PGA_OK && message.dry_run == 0) config_ = message.json;
  link_->send(host::FrameType::kConfigured, 0, host::pack(host::ConfiguredMessage{message.dry_run, std::move(verdict)}));
}

void Session::collect(std::uint64_t number, const host::CollectMessage& message) {
  Run run(number);
  run.table = make_run(this, run, message);
  host::ResultMessage result;
  result.verdict = created_;
  if (created_.status == PGA_OK) result.verdict = call_collect(run);
  // A plugin that says OK over a document that was refused has not succeeded.
  if (result.verdict.status == PGA_OK && run.refused > 0) result.verdict = run.refusal;
  result.refused_documents = run.refused;
  if (result.verdict.status == PGA_OK && state_) result.staged = state_->staged();
  const bool fatal = result.verdict.status == PGA_E_FATAL;
  link_->send(host::FrameType::kResult, number, host::pack(std::move(result)));
  if (fatal && !recreate()) _exit(EXIT_FAILURE);
}

// After PGA_E_FATAL: another instance with the configuration in force. If that fails too, a fresh process is the next remedy.
bool Session::recreate() {
  destroy();
  created_ = create();
  if (created_.status == PGA_OK && config_) created_ = call_configure(*config_, 0);
  if (created_.status != PGA_OK) log(PGA_LOG_ERROR, "cannot make another instance: " + created_.message);
  return created_.status == PGA_OK;
}

host::Verdict Session::create() {
  pga_error error = hosting::blank_error();
  void* self = nullptr;
  const pga_status status = plugin_->create(&table_, settings_.instance.c_str(), &self, &error);
  if (status != PGA_OK) return verdict_of(status, error);
  const std::lock_guard<std::mutex> lock(running_);
  self_ = self;
  return {};
}

host::Verdict Session::call_configure(const std::string& json, std::uint32_t dry_run) {
  pga_error error = hosting::blank_error();
  const pga_status status = plugin_->configure(self_, {json.data(), json.size()}, dry_run, &error);
  return verdict_of(status, error);
}

host::Verdict Session::call_collect(Run& run) {
  {
    const std::lock_guard<std::mutex> lock(running_);
    run_ = &run;
    if (cancelled_early_ == run.number) cancel_running();
  }
  pga_error error = hosting::blank_error();
  const pga_status status = plugin_->collect(self_, &run.table, &error);
  const std::lock_guard<std::mutex> lock(running_);
  run_ = nullptr;
  return verdict_of(status, error);
}

void Session::destroy() {
  if (created_.status != PGA_OK) return;
  created_ = {PGA_E_FAIL, "worker.order", "the instance was destroyed", 0};
  plugin_->destroy(self_);
}

void Session::cancel(std::uint64_t number) {
  const std::lock_guard<std::mutex> lock(running_);
  if (run_ != nullptr && run_->number == number) {
    cancel_running();
  } else {
    cancelled_early_ = number;  // its collect() is still to be called, or is over
  }
}

void Session::cancel_running() {
  run_->cancelled = true;
  const std::uint64_t one = 1;
  // Fails only when the counter is full, and then the descriptor is readable already.
  [[maybe_unused]] const ssize_t written = write(run_->cancel_fd, &one, sizeof one);
  if (PGA_HAS(pga_plugin, plugin_, cancel) && plugin_->cancel != nullptr) plugin_->cancel(self_);
}

pga_status Session::emit(std::string_view json) {
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
  ++run.documents;
  run.bytes += json.size();
  link_->send(host::FrameType::kDocument, run.number, json);
  return PGA_OK;
}

void Session::log(std::uint32_t level, std::string_view text) {
  level = std::clamp(level, PGA_LOG_ERROR, PGA_LOG_DEBUG);  // of a later minor: the nearest known one
  if (level > log_level_) return;
  constexpr std::size_t kTextBytesMax = 8192;
  link_->send(host::FrameType::kLog, 0, host::pack(host::LogMessage{level, std::string(text.substr(0, kTextBytesMax))}));
}

pga_status Session::serve_answer(Session& session, std::uint32_t kind, const char* name, char* buf, size_t* len) {
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
    return static_cast<Session*>(self->ctx)->run_->cancelled ? 1 : 0;
  };
  table.emit = [](const pga_run* self, pga_str json) noexcept -> pga_status {
    return static_cast<Session*>(self->ctx)->emit({json.data, json.len});
  };
  return table;
}

}  // namespace pganalytics::worker
