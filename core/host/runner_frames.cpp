// Runner: what arrives from the worker. Every frame is foreign: out of place or malformed, it is a fault of the worker.
#include "core/host/document.h"
#include "core/host/runner.h"

#include <algorithm>
#include <pganalytics/hosting.hpp>
#include <pganalytics/json.hpp>
#include <utility>

namespace pganalytics::host {
namespace {

constexpr std::size_t kRefusedToldMax = 8;       // documents of a run; the rest is only counted
constexpr int kFramesPerTurnMax = 256;           // so that a worker that floods does not keep the others waiting
constexpr std::int64_t kTurnMaxNs = 10'000'000;  // nor one whose documents take long to check
// A worker that asks and does not fetch the answers would have them pile up here. What the host sends unasked is far less.
constexpr std::size_t kUnsentBytesMax = 8u << 20;

Error out_of_place(const char* what) {
  return Error{PGA_E_FAIL, "worker.protocol", std::string("its worker broke the protocol: ") + what, "", 0};
}

std::string json_string(std::string_view text) {
  JsonWriter json;
  json.value(text);
  return std::string(json.text());
}

}  // namespace

void Runner::read_frames() {
  more_frames_ = false;
  const std::int64_t until_ns = now_ns() + kTurnMaxNs;
  for (int i = 0; i < kFramesPerTurnMax && !fault_ && now_ns() < until_ns; ++i) {
    auto frame = worker_->receive();
    if (!frame) {
      fault(std::move(frame).error().while_doing("its worker broke the protocol"));
      return;
    }
    if (!*frame) return;
    heard_ns_ = now_ns();
    pinged_ = false;
    if (auto taken = take(**frame); !taken) fault(std::move(taken).error());
  }
  more_frames_ = true;
}

Outcome Runner::take(const Frame& frame) {
  switch (frame.type) {
    case FrameType::kHello: return take_hello(frame);
    case FrameType::kConfigured: return take_configured(frame);
    case FrameType::kDocument: return take_document(frame);
    case FrameType::kResult: return take_result(frame);
    case FrameType::kLog: return take_log(frame);
    case FrameType::kAsk: return take_ask(frame);
    case FrameType::kPong: return take_pong();
    default: return out_of_place("a frame of the host's own");
  }
}

Outcome Runner::take_hello(const Frame& frame) {
  if (phase_ == Phase::kEnding) return {};
  const auto hello = unpack<HelloMessage>(frame.payload);
  if (!hello || phase_ != Phase::kLoading) return out_of_place("hello");
  if (hello->verdict.status != PGA_OK)
    return Error{PGA_E_UNSUPPORTED, hello->verdict.code, hello->verdict.message, hello->verdict.hint, 0};
  if (hello->info.id != settings_.info.id) return out_of_place("another plugin's id");
  for (const std::string& gap : hello->gaps) {
    const auto& known = health_.sandbox_gaps;
    if (std::find(known.begin(), known.end(), gap) == known.end()) log::warn("plugin " + name() + ": " + gap);
  }
  health_.sandbox_gaps = hello->gaps;
  auto state = context_.sink.state_of(name());
  if (!state) {
    give_up({std::move(state).error().while_doing("its state cannot be read"), false});
    return {};
  }
  const SupervisorOptions& options = context_.options;
  worker_->send_message(
      FrameType::kStart, 0,
      StartMessage{settings_.instance, static_cast<std::uint32_t>(log::level()),
                   static_cast<std::uint32_t>(options.document_bytes_max),
                   static_cast<std::uint32_t>(options.documents_per_run_max), options.run_bytes_max, std::move(*state)});
  configure(false);
  return {};
}

Outcome Runner::take_configured(const Frame& frame) {
  if (phase_ == Phase::kEnding) return {};
  const auto message = unpack<ConfiguredMessage>(frame.payload);
  if (!message || phase_ != Phase::kConfiguring) return out_of_place("an answer to no configuration");
  configured(message->dry_run != 0, message->verdict);
  return {};
}

Outcome Runner::take_document(const Frame& frame) {
  if (phase_ != Phase::kRunning || frame.run != run_->report.sequence) return out_of_place("a document outside its run");
  const SupervisorOptions& options = context_.options;
  run_->bytes += frame.payload.size();
  if (!run_->credit.take(frame.payload.size())) return out_of_place("more than it had credit for");
  if (frame.payload.size() > options.document_bytes_max || run_->bytes > options.run_bytes_max ||
      run_->report.documents.size() >= options.documents_per_run_max) {
    return out_of_place("more than its worker should have let pass");
  }
  if (auto valid = check_document(frame.payload, settings_.info.id, *output_schema_); !valid) {
    ++health_.refused_documents;
    RunReport& report = run_->report;
    if (report.refused.size() < kRefusedToldMax) report.refused.push_back({frame.payload, valid.error()});
    if (!report.failed) report.failed = std::move(valid).error();
    report.documents.clear();  // of a run that has failed nothing will be kept
    run_->credit.let_go();
    return {};
  }
  if (run_->report.failed) return {};
  run_->credit.hold(frame.payload.size());
  run_->report.documents.push_back(frame.payload);
  return {};
}

bool Runner::owes_credit() const { return run_ && !fault_ && phase_ == Phase::kRunning && run_->credit.may_give_back(); }

void Runner::give_credit() {
  if (!owes_credit()) return;
  if (const std::size_t bytes = run_->credit.give_back(); bytes > 0) {
    worker_->send_message(FrameType::kCredit, run_->report.sequence, CreditMessage{bytes});
  }
}

Outcome Runner::take_result(const Frame& frame) {
  auto result = unpack<ResultMessage>(frame.payload);
  if (!result || phase_ != Phase::kRunning || frame.run != run_->report.sequence) return out_of_place("a result of no run");
  health_.refused_documents += result->refused_documents;
  if (result->verdict.status != PGA_OK) {
    run_->report.failed = Error{hosting::known_status(result->verdict.status), std::move(result->verdict.code),
                                std::move(result->verdict.message), "", result->verdict.retry_after_ms};
    if (run_->report.failed->message.empty()) run_->report.failed->message = "the run failed without a message";
  }
  expect_nothing();
  phase_ = Phase::kReady;
  if (const auto failed = finish_run(std::move(result->staged))) apply_retry_rule(*failed);
  return {};
}

Outcome Runner::take_log(const Frame& frame) {
  const auto message = unpack<LogMessage>(frame.payload);
  if (!message) return out_of_place("a malformed log line");
  log_.drop(message->dropped);
  log_.line(static_cast<log::Level>(std::clamp(message->level, PGA_LOG_ERROR, PGA_LOG_DEBUG)), message->text);
  return {};
}

Outcome Runner::take_pong() {
  if (pings_unanswered_ == 0) return out_of_place("an answer to no question");
  --pings_unanswered_;
  return {};
}

Outcome Runner::take_ask(const Frame& frame) {
  const auto question = unpack<AskMessage>(frame.payload);
  if (!question) return out_of_place("a malformed question");
  if (worker_->unsent_bytes() > kUnsentBytesMax) return out_of_place("it asks and does not listen");
  worker_->send_message(FrameType::kAnswer, 0, answer(*question));
  return {};
}

AnswerMessage Runner::answer(const AskMessage& question) {
  if (question.kind == AskMessage::kFact && question.name == hosting::kInstanceFact) {
    return {PGA_OK, json_string(hosting::instance_part(name()))};
  }
  if (question.kind == AskMessage::kFact) {
    auto facts = context_.sink.facts();
    const auto fact = facts.find(question.name);
    if (fact == facts.end()) return {PGA_E_NOTFOUND, ""};
    return {PGA_OK, std::move(fact->second)};
  }
  // Only names that this plugin's configuration mentions.
  if (settings_.secret_names.count(question.name) == 0) return {PGA_E_NOTFOUND, ""};
  auto secret = context_.sink.secret(name(), question.name);
  if (!secret) {
    log::write(log::Level::kError, "plugin " + name() + ": secret \"" + question.name + "\"", secret.error());
    return {secret.error().status, ""};
  }
  if (!*secret) return {PGA_E_NOTFOUND, ""};
  return {PGA_OK, std::move(**secret)};
}

}  // namespace pganalytics::host
