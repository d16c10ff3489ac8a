#include "core/server/forward/delivery.h"

#include "core/clock/clock.h"
#include "core/log/log.h"
#include "core/server/forward/emitted.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace pganalytics::server::forward {
namespace {

using exporters::Emitted;
using exporters::ReceiverAnswer;
using store::ForwardPush;
using web::Verdict;

constexpr std::uint32_t kPushesMost = 200;     // of a batch
constexpr std::size_t kBatchBytes = 4u << 20;  // of documents; a push is never parted, so one more may come to it
constexpr std::size_t kRefusedInARowMost = 3;
constexpr std::int64_t kTidyNs = 10'000'000'000;  // with the rows of a tidy(): 2,000 pushes a second

// What a receiver that does not know us, or not this API, is given until somebody has acted.
std::int64_t least_wait_ms(const ReceiverAnswer& answer) {
  switch (answer.verdict) {
    case Verdict::kUnauthorized: return 60'000;
    case Verdict::kForbidden: return 300'000;
    case Verdict::kNotThisApi: return 120'000;
    default: return answer.retry_after_ms;
  }
}

const char* state_of(Verdict verdict) {
  switch (verdict) {
    case Verdict::kBusy: return "busy";
    case Verdict::kRedirected: return "redirecting";
    case Verdict::kNotThisApi: return "not this API, or another version of it";
    case Verdict::kUnauthorized: return "not accepting our token";
    case Verdict::kForbidden: return "not letting us in";
    case Verdict::kRefused: return "refusing every push";
    case Verdict::kTooLarge: return "refusing every push as too large";
    default: return "away";
  }
}

bool is_about_it(const ReceiverAnswer& answer) {
  return answer.verdict == Verdict::kRefused || answer.verdict == Verdict::kTooLarge;
}

std::string text_of(const ForwardPush& push) { return "the push of " + push.collector + " of " + push.received; }

std::size_t count_of(const std::vector<Emitted>& emitted) {
  std::size_t count = 0;
  for (const Emitted& one : emitted) count += one.documents.size();
  return count;
}

// The documents with the numbers [from, to) of all of them.
std::vector<Emitted> part_of(const std::vector<Emitted>& emitted, std::size_t from, std::size_t to) {
  std::vector<Emitted> part;
  std::size_t at = 0;
  for (const Emitted& one : emitted) {
    Emitted some{one.collector, one.instance, {}, one.unix_ns};
    for (const std::string& document : one.documents) {
      if (at >= from && at < to) some.documents.push_back(document);
      ++at;
    }
    if (!some.documents.empty()) part.push_back(std::move(some));
  }
  return part;
}

}  // namespace

Delivery::Delivery(store::Store& store, const Destination& destination, exporters::Receiver& receiver, Counters& counters,
                   Stop stop, DeliveryTimes times)
    : store_(store),
      name_(destination.name),
      receiver_(receiver),
      counters_(counters),
      stop_(stop),
      times_(times),
      exporters_(store, destination.receiver),
      backoff_(times.retry_first_ms, times.retry_max_ms, backoff::random_seed()),
      receiver_health_("forward." + name_),
      database_health_("forward." + name_) {}

std::int64_t Delivery::turn() {
  const Wait wait = try_turn();
  if (wait) {
    database_health_.well("the database");
    return *wait;
  }
  // The lock went with the session: whoever has it by now goes on.
  line_.reset();
  counters_.active = false;
  if (!stop_.now) database_health_.failing("the database", "failing", wait.error().message, times_.idle_ms);
  return times_.idle_ms;
}

Delivery::Wait Delivery::try_turn() {
  PGA_TRY(const bool is_ours, have_line());
  if (!is_ours) return times_.takeover_ms;
  PGA_CHECK(tidy());
  PGA_TRY(auto held, line_->held(times_.refused_retry_ms, 1));
  if (!held.empty()) {
    PGA_TRY(Batch batch, gather(std::move(held)));
    return deliver_held(std::move(batch));
  }
  const bool one_by_one = alone_ > 0 || refused_in_a_row_.size() >= kRefusedInARowMost;
  PGA_TRY(auto pushes, line_->next(one_by_one ? 1 : kPushesMost));
  counters_.oldest_unix_ns = pushes.empty() ? 0 : clock::now_unix_ns() - pushes.front().age_s * 1'000'000'000;
  if (pushes.empty() || pushes.front().waits) return times_.idle_ms;
  PGA_TRY(Batch batch, gather(std::move(pushes)));
  return deliver(std::move(batch));
}

Expected<bool> Delivery::have_line() {
  if (line_) return true;
  PGA_TRY(line_, store_.forward_line(name_, stop_.cancel_fd));
  if (!line_) return false;
  PGA_TRY(const std::int64_t lost, line_->begin());
  if (lost > 0) tell_lost(static_cast<std::uint64_t>(lost));
  counters_.active = true;
  log::info("forward." + name_ + ": this server forwards to " + receiver_.url());
  return true;
}

Outcome Delivery::tidy() {
  const std::int64_t now_ns = clock::now_monotonic_ns();
  if (now_ns < tidy_at_ns_) return {};
  tidy_at_ns_ = now_ns + kTidyNs;
  return line_->tidy();
}

// As many of them, from the first on, as go in a batch.
Expected<Delivery::Batch> Delivery::gather(std::vector<ForwardPush> pushes) {
  Batch batch;
  std::size_t bytes = 0;
  for (ForwardPush& push : pushes) {
    if (push.waits || bytes >= kBatchBytes) break;
    PGA_TRY(auto documents, line_->documents(push));
    for (const store::ForwardDocument& document : documents) bytes += document.text.size();
    Item item;
    item.documents = documents.size();
    item.lost = std::max(static_cast<std::uint64_t>(push.documents), item.documents) - item.documents;
    auto emitted = emitted_of(push, std::move(documents));
    std::move(emitted.begin(), emitted.end(), std::back_inserter(batch.emitted));
    item.emitted_end = batch.emitted.size();
    item.push = std::move(push);
    batch.items.push_back(std::move(item));
  }
  return batch;
}

Delivery::Wait Delivery::deliver(Batch batch) {
  PGA_TRY(const ReceiverAnswer answer, send(batch));
  PGA_CHECK(pass_sent(batch, answer));
  if (answer.verdict == Verdict::kAcknowledged) return 0;
  if (!is_about_it(answer)) return wait(answer);
  if (batch.items.size() > 1) {
    alone_ = batch.items.size();
    return 0;
  }
  const ForwardPush& push = batch.items.front().push;
  const bool receivers_fault = is_receivers_fault(push);
  PGA_CHECK(line_->hold(push));
  alone_ -= std::min<std::size_t>(alone_, 1);
  if (receivers_fault) return wait(answer);
  log::warn("forward." + name_ + ": " + receiver_.url() + " refuses " + text_of(push) + ": " + answer.reason + "; once more in " +
            std::to_string(times_.refused_retry_ms / 1000) + " s");
  return 0;
}

Delivery::Wait Delivery::deliver_held(Batch batch) {
  may_leave_out_ = refused_in_a_row_.size() < kRefusedInARowMost;
  const auto sent = send(batch);
  may_leave_out_ = false;
  PGA_TRY(const ReceiverAnswer answer, sent);
  const Item& item = batch.items.front();
  if (answer.verdict == Verdict::kAcknowledged) {
    PGA_CHECK(line_->release(item.push));
    taken(item);
    well(answer);
    return 0;
  }
  if (!is_about_it(answer)) return wait(answer);
  if (is_receivers_fault(item.push)) {
    PGA_CHECK(line_->hold_again(item.push));
    return wait(answer);
  }
  PGA_CHECK(line_->release(item.push));
  counters_.poison += item.documents;
  log::error("forward." + name_ + ": " + text_of(item.push) + " with " + std::to_string(item.documents) +
             " documents is given up: " + answer.reason);
  return 0;
}

// Moves behind those of the batch that are whole with the receiver, so that they are not sent again because of the others.
Outcome Delivery::pass_sent(const Batch& batch, const ReceiverAnswer& answer) {
  const bool all = answer.verdict == Verdict::kAcknowledged;
  std::size_t count = 0;
  while (count < batch.items.size() && (all || batch.items[count].emitted_end <= answer.emitted_done)) ++count;
  if (count == 0) return {};
  PGA_CHECK(line_->move(batch.items[count - 1].push.place));
  for (std::size_t i = 0; i < count; ++i) taken(batch.items[i]);
  alone_ -= std::min(alone_, count);
  ++counters_.batches;
  if (all) well(answer);
  return {};
}

Expected<ReceiverAnswer> Delivery::send(const Batch& batch) {
  // After the pushes were read: the schema of each that does not wait is there.
  PGA_TRY(const auto schemas, line_->newest_schemas());
  PGA_TRY(exporter_, exporters_.get(schemas));
  const bool may_be_parted = batch.items.size() == 1;
  ReceiverAnswer answer = may_be_parted ? send_parts(batch.emitted) : send(batch.emitted);
  if (answer.verdict != Verdict::kAcknowledged) ++counters_.failures;
  return answer;
}

ReceiverAnswer Delivery::send(const std::vector<Emitted>& emitted) {
  const exporters::ExportedBatch exported = exporter_->encode(emitted);
  const ReceiverAnswer answer = receiver_.send(exported.requests, *exporter_);
  if (answer.verdict == Verdict::kAcknowledged) counters_.unreadable += exported.unreadable_documents;
  return answer;
}

// What is too large goes in halves, down to a document; one that still is gets a second chance with its push, and is left out
// then.
ReceiverAnswer Delivery::send_parts(const std::vector<Emitted>& emitted) {
  ReceiverAnswer answer = send(emitted);
  const std::size_t count = count_of(emitted);
  if (answer.verdict != Verdict::kTooLarge) return answer;
  if (count < 2) {
    if (!may_leave_out_) return answer;
    ++counters_.poison;
    log::error("forward." + name_ + ": a document of " + emitted.front().instance + " of " + emitted.front().collector +
               " is given up as too large: " + answer.reason);
    return {};
  }
  ReceiverAnswer first = send_parts(part_of(emitted, 0, count / 2));
  if (first.verdict != Verdict::kAcknowledged) return first;
  return send_parts(part_of(emitted, count / 2, count));
}

// Whether so many different pushes in a row were refused that it cannot be theirs.
bool Delivery::is_receivers_fault(const ForwardPush& push) {
  if (refused_in_a_row_.size() < kRefusedInARowMost) refused_in_a_row_.insert(push.place.xid + "." + push.place.id);
  return refused_in_a_row_.size() >= kRefusedInARowMost;
}

void Delivery::taken(const Item& item) {
  counters_.documents += item.documents;
  if (item.lost > 0) tell_lost(item.lost);
}

void Delivery::well(const ReceiverAnswer& answer) {
  if (answer.http_status == 0) return;  // nothing was sent: that says nothing about the receiver
  refused_in_a_row_.clear();
  backoff_.reset();
  receiver_health_.well(receiver_.url());
}

void Delivery::tell_lost(std::uint64_t documents) {
  counters_.lost += documents;
  log::error("forward." + name_ + ": " + std::to_string(documents) + " documents were forgotten before " + receiver_.url() +
             " could get them");
}

std::int64_t Delivery::wait(const ReceiverAnswer& answer) {
  const std::int64_t wait_ms = std::max<std::int64_t>(backoff_.next_ms(least_wait_ms(answer)), 1);
  if (!stop_.now) receiver_health_.failing(receiver_.url(), state_of(answer.verdict), answer.reason, wait_ms);
  return wait_ms;
}

}  // namespace pganalytics::server::forward
