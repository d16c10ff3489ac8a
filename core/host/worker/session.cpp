#include "core/host/worker/session.h"

#include <unistd.h>

#include <utility>

#include "core/host/worker/library.h"
#include "core/host/worker/session_run.h"

namespace pganalytics::worker {
namespace {

host::Verdict verdict_of(pga_status status, const pga_error& error) {
  return host::Verdict::of(hosting::error_of(hosting::known_status(status), error));
}

}  // namespace

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
    const std::optional<host::Frame> frame = link.receive();
    if (!frame) return false;
    if (frame->type == host::FrameType::kShutdown) {
      destroy();  // while the link is there for its last words
      return true;
    }
    if (!obey(*frame)) return false;
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
      return message && collect(frame.run, *message);
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

// False: the instance is lost, and no other can be made.
bool Session::collect(std::uint64_t number, const host::CollectMessage& message) {
  Run run(number, message.credit_bytes);
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
  return !fatal || recreate();
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

void Session::credit(std::uint64_t number, std::uint64_t bytes) {
  const std::lock_guard<std::mutex> lock(running_);
  if (run_ == nullptr || run_->number != number) return;  // it is over
  run_->credit_bytes += bytes;
  may_send_.notify_all();
}

void Session::lose_host() {
  const std::lock_guard<std::mutex> lock(running_);
  if (run_ != nullptr) cancel_running();
}

void Session::cancel_running() {
  run_->cancelled = true;
  may_send_.notify_all();
  const std::uint64_t one = 1;
  // Fails only when the counter is full, and then the descriptor is readable already.
  [[maybe_unused]] const ssize_t written = write(run_->cancel_fd, &one, sizeof one);
  if (PGA_HAS(pga_plugin, plugin_, cancel) && plugin_->cancel != nullptr) plugin_->cancel(self_);
}

}  // namespace pganalytics::worker
