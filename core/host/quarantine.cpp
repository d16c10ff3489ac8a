#include "core/host/quarantine.h"

#include <algorithm>
#include <charconv>
#include <utility>
#include <vector>

namespace pganalytics::host {
namespace {

constexpr std::int64_t kNsPerMs = 1'000'000;
constexpr std::string_view kRecordName = "quarantine/1";
constexpr std::size_t kRecordBytesMax = 512;
constexpr int kTimesMax = 1000;  // counted no further: the longest is reached long before

Error damaged(const char* why) {
  return Error{PGA_E_FAIL, "quarantine.record", std::string("the record of its quarantine is damaged: ") + why, "", 0};
}

std::vector<std::string_view> words_of(std::string_view text) {
  std::vector<std::string_view> words;
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t end = std::min(text.find(' ', begin), text.size());
    words.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return words;
}

template <class Integer>
std::optional<Integer> number_in(std::string_view text) {
  Integer number = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (failed != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

}  // namespace

Quarantine::Quarantine(const clock::Clock& clock, std::string build_id)
    : clock_(clock), build_id_(std::move(build_id)), clean_since_ns_(clock.monotonic_ns()) {}

Outcome Quarantine::recall(std::string_view record) {
  if (record.size() > kRecordBytesMax) return damaged("it is too long");
  const std::vector<std::string_view> words = words_of(record);
  if (words.size() != 4 || words[0] != kRecordName) return damaged("it has another form");
  const auto times = number_in<int>(words[2]);
  const auto until_unix_ms = number_in<std::int64_t>(words[3]);
  if (!times || *times < 1 || *times > kTimesMax) return damaged("its count is none");
  if (!until_unix_ms || *until_unix_ms < 0 || *until_unix_ms > INT64_MAX / kNsPerMs) return damaged("its time is none");
  if (words[1] != build_id_) return {};
  times_ = *times;
  // A wall clock that was set back meanwhile does not make it longer than it was.
  const std::int64_t left_ns = std::min(*until_unix_ms * kNsPerMs - clock_.unix_ns(), length_ms() * kNsPerMs);
  until_unix_ns_ = clock_.unix_ns() + left_ns;
  if (left_ns > 0) until_ns_ = clock_.monotonic_ns() + left_ns;
  return {};
}

void Quarantine::adopt_build(const std::string& build_id) {
  if (build_id == build_id_) return;
  build_id_ = build_id;
  forget();
}

bool Quarantine::fault() {
  const std::int64_t now_ns = clock_.monotonic_ns();
  expire();
  clean_since_ns_ = now_ns;
  faults_ns_.push_back(now_ns);
  while (now_ns - faults_ns_.front() > kFaultWindowMs * kNsPerMs) faults_ns_.pop_front();
  if (in_force() || faults_ns_.size() < kFaultsMax) return false;
  faults_ns_.clear();
  times_ = std::min(times_ + 1, kTimesMax);
  until_ns_ = now_ns + length_ms() * kNsPerMs;
  until_unix_ns_ = clock_.unix_ns() + length_ms() * kNsPerMs;
  return true;
}

bool Quarantine::release() {
  const bool was_in_force = in_force();
  forget();
  return was_in_force;
}

bool Quarantine::expire() {
  const std::int64_t now_ns = clock_.monotonic_ns();
  if (in_force()) {
    if (now_ns < until_ns_) return false;
    clean_since_ns_ = std::exchange(until_ns_, 0);
    return true;
  }
  if (times_ > 0 && now_ns - clean_since_ns_ >= kCleanMs * kNsPerMs) forget();
  return false;
}

std::int64_t Quarantine::until_unix_ns() const { return in_force() ? until_unix_ns_ : 0; }

std::optional<std::string> Quarantine::record() const {
  if (times_ == 0) return std::nullopt;
  return std::string(kRecordName) + ' ' + build_id_ + ' ' + std::to_string(times_) + ' ' +
         std::to_string(until_unix_ns_ / kNsPerMs);
}

void Quarantine::forget() {
  faults_ns_.clear();
  times_ = 0;
  until_ns_ = until_unix_ns_ = 0;
  clean_since_ns_ = clock_.monotonic_ns();
}

std::int64_t Quarantine::length_ms() const {
  std::int64_t length_ms = kFirstMs;
  for (int i = 1; i < times_ && length_ms < kLongestMs; ++i) length_ms *= 2;
  return std::min(length_ms, kLongestMs);
}

}  // namespace pganalytics::host
