// Configuration: the server's documents, from their arrival to their end.
#include "core/clock/clock.h"
#include "core/collector/configuration.h"
#include "core/collector/spool_keys.h"
#include "core/crypto/digest.h"
#include "core/log/log.h"

#include <algorithm>
#include <pganalytics/json.hpp>
#include <utility>

namespace pganalytics::collector {
namespace {

constexpr std::size_t kReasonBytesMax = 1'000;

std::int64_t monotonic_ms() { return clock::now_monotonic_ns() / 1'000'000; }

std::string named(std::uint64_t version) { return "remote configuration version " + std::to_string(version); }

// One line of bounded length: it goes into the log, a document and the server's database.
std::string one_line(std::string text) {
  std::replace(text.begin(), text.end(), '\n', ' ');
  text.erase(std::remove(text.begin(), text.end(), '\0'), text.end());
  if (text.size() > kReasonBytesMax) text = text.substr(0, kReasonBytesMax - 3) + "...";
  return mend_utf8(text);
}

}  // namespace

// What is remembered ---------------------------------------------------------------------------------------------------------

Outcome Configuration::recall(const std::string& collector_id) {
  PGA_TRY(const auto text, spool_.value(kRemoteRecord));
  record_ = {};
  if (text) {
    auto record = RemoteRecord::parse(*text);
    if (!record) {
      log::write(log::Level::kWarn, "", record.error());
    } else if (record->collector_id == collector_id) {
      record_ = std::move(record).value();
    }
  }
  record_.collector_id = collector_id;
  return {};
}

// With what waits for the disk: there it comes first, and here it is on trial only afterwards.
Outcome Configuration::keep() {
  if (!remembered_) return spool_.set_value(kRemoteRecord, record_.text());
  RemoteRecord next = record_;
  next.accepted = std::max(next.accepted, remembered_->probation.document.version);
  next.probation = remembered_->probation;
  return spool_.set_value(kRemoteRecord, next.text());
}

const RemoteDocument* Configuration::remote_in_force() const {
  if (record_.probation) return &record_.probation->document.document;
  return good_in_force_ ? &record_.good[*good_in_force_].document : nullptr;
}

void Configuration::report_again() const {
  if (record_.newest) report_({record_.newest->version, record_.newest->state, record_.newest->reason});
}

void Configuration::conclude(const VersionedDocument& document, const char* state, const std::string& why) {
  record_.newest = RemoteRecord::Newest{document.version, document.document.etag, crypto::sha256_hex(document.document.body),
                                        state, one_line(why)};
  if (const Outcome kept = keep(); !kept)
    log::write(log::Level::kError, "what became of the server's configuration could not be kept", kept.error());
  report_again();
}

void Configuration::end() {
  if (remembered_) remembered_->probation.ended_well = true;
  if (record_.probation) record_.probation->ended_well = true;
  if (!record_.probation && !remembered_) return;
  if (const Outcome kept = keep(); !kept)
    log::write(log::Level::kWarn, "that the collector was stopped on purpose could not be kept", kept.error());
}

// Start ----------------------------------------------------------------------------------------------------------------------

// Better a late start than one with plugins that the document has switched off; only a disk that hangs is not waited for.
void Configuration::resume_trial(std::chrono::milliseconds patience) {
  RemoteRecord::Probation before = *record_.probation;
  const int crashes = before.crashes + (before.ended_well ? 0 : 1);
  if (crashes >= RemoteRecord::kCrashesMax) {
    return take_back("the collector ended " + std::to_string(crashes) + " times under it without being told to");
  }
  if (auto prepared = prepare(local_, catalogue_, &before.document.document); !prepared)
    return take_back(prepared.error().message);
  remember_trial(std::move(before.document), crashes, std::move(before.broken_before));
  spool_.wait_for_disk(remembered_->mark, patience);
  start_remembered();
  if (!remembered_) return;
  record_.probation.reset();
  fall_back_to_good();
}

// The newest good document that fits, or the local configuration alone, which does.
void Configuration::fall_back_to_good() {
  std::string why_not;  // the newest of them
  for (std::size_t i = 0; local_.backend && i < record_.good.size(); ++i) {
    auto prepared = prepare(local_, catalogue_, &record_.good[i].document);
    if (!prepared) {
      log::write(log::Level::kWarn, named(record_.good[i].version) + ", good once, does not fit any more", prepared.error());
      if (i == 0) why_not = prepared.error().message;
      continue;
    }
    good_in_force_ = i;
    put_in_force(std::move(prepared).value());
    return tell_what_became_of_newest_good(why_not);
  }
  good_in_force_.reset();
  auto alone = prepare(local_, catalogue_, nullptr);
  if (!alone) return log::write(log::Level::kError, "unable to go back to the local configuration", alone.error());
  put_in_force(std::move(alone).value());
  tell_what_became_of_newest_good(why_not);
}

// It may have ceased to fit the local file, and may fit again. why_not: "" if it is in force.
void Configuration::tell_what_became_of_newest_good(const std::string& why_not) {
  if (!local_.backend || record_.good.empty() || !record_.newest) return;
  if (record_.newest->sha256 != crypto::sha256_hex(record_.good.front().document.body)) return;
  const char* const state = why_not.empty() ? "applied" : "reverted";
  if (record_.newest->state == state) return;
  conclude(record_.good.front(), state, why_not.empty() ? "" : "it does not fit the collector's own file any more: " + why_not);
}

// From offer to trial --------------------------------------------------------------------------------------------------------

void Configuration::turn(const std::optional<transport::DeliveryStatus>& delivery) {
  if (rehearsing_) end_rehearsal();
  if (remembered_) start_remembered();
  if (trial_) watch_trial(delivery);
  if (!offered_ || rehearsing_ || (trial_ && !trial_->may_be_replaced()) || !pace_.open(clock::now_monotonic_ns())) return;
  pace_.take(1);
  judge(*std::exchange(offered_, std::nullopt));
}

// The very document that is in force or about to be, or that was judged last.
bool Configuration::is_known(const VersionedDocument& candidate) const {
  const auto is_it = [&](const VersionedDocument& other) {
    return other.version == candidate.version && other.document.body == candidate.document.body;
  };
  if (remembered_ && is_it(remembered_->probation.document)) return true;
  const RemoteDocument* const now = remote_in_force();
  if (now != nullptr && in_force_.remote_version == candidate.version && now->body == candidate.document.body) return true;
  return record_.newest && record_.newest->version == candidate.version &&
         record_.newest->sha256 == crypto::sha256_hex(candidate.document.body);
}

// Why it is no newer configuration; nullopt: it is.
std::optional<std::string> Configuration::why_stale(const VersionedDocument& candidate) const {
  if (candidate.version > record_.accepted) return std::nullopt;
  return "version " + std::to_string(candidate.version) + " is not above " + std::to_string(record_.accepted) +
         ", the highest that was ever in force here; to go back, give the old content under a new version";
}

void Configuration::judge(RemoteDocument document) {
  const VersionedDocument candidate{version_of(document), std::move(document)};
  if (is_known(candidate)) return;
  remembered_.reset();  // the newest takes the place of one that waits for the disk
  auto prepared = prepare(local_, catalogue_, &candidate.document);
  if (!prepared) return reject(candidate, prepared.error().message);
  if (!claims_version(candidate.document)) return reject(candidate, "remote configuration: version: is missing");
  // Nobody has given one: nothing to judge, and nothing in force that it could take the place of.
  if (candidate.version == 0 && record_.accepted == 0) return;
  if (const auto why = why_stale(candidate)) return reject(candidate, *why);
  supervisor_.rehearse(prepared->selection.settings);
  rehearsing_ = candidate;
  end_rehearsal();  // perhaps nobody had to be asked
}

void Configuration::reject(const VersionedDocument& document, const std::string& why) {
  log::error(named(document.version) + " rejected, nothing has changed: " + one_line(why));
  conclude(document, "rejected", why);
}

void Configuration::end_rehearsal() {
  const auto refusals = supervisor_.rehearsal();
  if (!refusals) return;
  const VersionedDocument candidate = *std::exchange(rehearsing_, std::nullopt);
  if (!refusals->empty()) {
    return reject(candidate, "plugin " + refusals->begin()->first + ": " + refusals->begin()->second.message);
  }
  // The local configuration may be another one by now.
  auto prepared = prepare(local_, catalogue_, &candidate.document);
  if (!prepared) return reject(candidate, prepared.error().message);
  std::vector<std::string> broken;
  for (const Trial::Touched& each :
       touched_plugins(without_trial().selection.settings, prepared->selection.settings, supervisor_.health())) {
    if (!each.worked_before) broken.push_back(each.plugin);
  }
  remember_trial(candidate, 0, std::move(broken));
  start_remembered();  // perhaps the disk was quick
}

// Trial ----------------------------------------------------------------------------------------------------------------------

// What cannot be remembered is not tried: whoever dies of it could not be helped. It is in no record of this process yet.
void Configuration::remember_trial(VersionedDocument document, int crashes, std::vector<std::string> broken_before) {
  remembered_ = Remembered{{std::move(document), crashes, false, std::move(broken_before)}};
  if (const Outcome kept = keep(); !kept) log::write(log::Level::kError, "the trial could not be kept", kept.error());
  remembered_->mark = spool_.mark();
}

void Configuration::start_remembered() {
  const VersionedDocument& document = remembered_->probation.document;
  if (!spool_.is_on_disk(remembered_->mark)) {
    if (!std::exchange(remembered_->told, true))
      log::warn(named(document.version) + " waits: its trial begins when the disk of the spool has taken a note of it");
    return;
  }
  auto prepared = prepare(local_, catalogue_, &document.document);  // the local configuration may be another one by now
  if (!prepared) return reject(std::exchange(remembered_, std::nullopt)->probation.document, prepared.error().message);
  record_.accepted = std::max(record_.accepted, document.version);
  record_.probation = std::exchange(remembered_, std::nullopt)->probation;
  start_trial(std::move(prepared).value());
}

// Judged against what would hold without it, whatever is in force at the moment.
Trial Configuration::trial_of(const Prepared& prepared) const {
  const Prepared good = without_trial();
  auto touched = touched_plugins(good.selection.settings, prepared.selection.settings, supervisor_.health());
  const std::vector<std::string>& broken = record_.probation->broken_before;
  for (Trial::Touched& each : touched) each.worked_before = std::find(broken.begin(), broken.end(), each.plugin) == broken.end();
  return {std::move(touched), monotonic_ms(), local_.config_probation_ms,
          prepared.effective.compression != good.effective.compression};
}

void Configuration::start_trial(Prepared prepared) {
  Trial trial = trial_of(prepared);
  put_in_force(std::move(prepared));
  trial_.emplace(std::move(trial));
  log::info(named(in_force_.remote_version) + " applied, on trial");
  conclude(record_.probation->document, "probation", "");
}

void Configuration::watch_trial(const std::optional<transport::DeliveryStatus>& delivery) {
  const std::int64_t now_ms = monotonic_ms();
  if (delivery) trial_->delivered(*delivery);
  if (const auto why = trial_->objection(supervisor_.health(), now_ms)) return take_back(*why);
  for (const std::string& plugin : trial_->runs_to_ask_for(now_ms)) {
    if (const Outcome asked = supervisor_.request_run(plugin, PGA_REASON_ONDEMAND); !asked)
      log::write(log::Level::kWarn, "a run for the trial", asked.error());
  }
  if (!trial_->passed()) return;
  trial_.reset();
  record_.promote();
  good_in_force_ = 0;
  log::info(named(in_force_.remote_version) + " has proven itself");
  conclude(record_.good.front(), "applied", "");
}

void Configuration::take_back(const std::string& why) {
  const VersionedDocument document = std::exchange(record_.probation, std::nullopt)->document;
  log::error(named(document.version) + " withdrawn, what was good before comes back: " + one_line(why));
  trial_.reset();
  conclude(document, "reverted", why);
  fall_back_to_good();
}

}  // namespace pganalytics::collector
