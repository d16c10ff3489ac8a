#include "core/server/program/housekeeping.h"

#include "core/clock/clock.h"
#include "core/log/log.h"

namespace pganalytics::server::program {
namespace {

constexpr std::int64_t kTellIntervalNs = 60'000'000'000;

}  // namespace

Housekeeping::Housekeeping(Database& database, const http::Refusals& refusals, const auth::TokenSigner& signer,
                           std::int64_t signing_key_life_ms)
    : database_(database),
      refusals_(refusals),
      tell_at_ns_(clock::now_monotonic_ns() + kTellIntervalNs),
      signer_(signer),
      signing_key_life_ms_(signing_key_life_ms) {}

void Housekeeping::turn() {
  follow_signing_keys();
  if (database_.cluster != nullptr) {
    if (const Outcome running = database_.cluster->keep_running(); !running)
      log::write(log::Level::kError, "private PostgreSQL", running.error());
  }
  tell_refusals();
}

// One line a minute, if there is anything to tell.
void Housekeeping::tell_refusals() {
  const std::int64_t now_ns = clock::now_monotonic_ns();
  if (now_ns < tell_at_ns_) return;
  tell_at_ns_ = now_ns + kTellIntervalNs;
  const auto numbers = refusals_.all();
  if (const std::string news = http::describe_growth(told_, numbers); !news.empty()) {
    log::info("refused in the last minute: " + news);
  }
  told_ = numbers;
}

// The command line or another server of the same folder may have rotated them; in the end this one does.
void Housekeeping::follow_signing_keys() {
  auto changed = signer_.refresh();
  if (changed && !*changed) changed = signer_.rotate_if_older_than(signing_key_life_ms_);
  if (changed) {
    signing_trouble_.clear();
    if (*changed) log::info("access tokens are signed with key " + signer_.key_id() + " from now on");
  } else if (changed.error().message != signing_trouble_) {
    signing_trouble_ = changed.error().message;
    log::write(log::Level::kError, "following the signing keys; those in use stay", changed.error());
  }
}

}  // namespace pganalytics::server::program
