#include "core/collector/state_backup.h"

#include "core/clock/clock.h"
#include "core/files/files.h"
#include "core/log/log.h"
#include "core/spool/backup.h"
#include "core/spool/free_space.h"

#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <limits>
#include <vector>

namespace pganalytics::collector {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t kFirstMs = 300'000;  // after the start, if there is no copy at all
constexpr std::int64_t kRetryMs = 600'000;
constexpr std::int64_t kLookMs = 500;  // at one that is under way
constexpr std::int64_t kNever = std::numeric_limits<std::int64_t>::max();

std::int64_t monotonic_ms() { return clock::now_monotonic_ns() / 1'000'000; }

std::string folder_of(const std::string& state_dir) { return state_dir + "/backup"; }

// "spool-20260203T040506Z.db": the order of names is the order of time.
std::string name_of(std::int64_t unix_ns) {
  std::string time = clock::format_rfc3339(unix_ns).substr(0, 19) + "Z";
  time.erase(std::remove_if(time.begin(), time.end(), [](char c) { return c == '-' || c == ':'; }), time.end());
  return "spool-" + time + ".db";
}

// Finished copies, oldest first.
std::vector<fs::path> copies_in(const std::string& folder) {
  std::vector<fs::path> copies;
  std::error_code absent;
  for (const auto& entry : fs::directory_iterator(folder, absent)) {
    const std::string name = entry.path().filename().string();
    if (name.rfind("spool-", 0) == 0 && entry.path().extension() == ".db") copies.push_back(entry.path());
  }
  std::sort(copies.begin(), copies.end());
  return copies;
}

std::uint64_t size_of(const std::string& path) {
  struct stat facts {};
  return ::stat(path.c_str(), &facts) == 0 ? static_cast<std::uint64_t>(facts.st_size) : 0;
}

}  // namespace

StateBackup::StateBackup(std::string state_dir)
    : state_dir_(std::move(state_dir)), folder_(folder_of(state_dir_)), started_ms_(monotonic_ms()) {
  const auto copies = copies_in(folder_);
  struct stat facts {};
  if (copies.empty() || ::stat(copies.back().c_str(), &facts) != 0) return;
  // A copy from the future is one of a clock that was wrong: as good as one of this moment.
  const std::int64_t age_ms = clock::now_unix_ns() / 1'000'000 - static_cast<std::int64_t>(facts.st_mtim.tv_sec) * 1'000;
  has_one_ = true;
  last_ms_ = started_ms_ - std::max<std::int64_t>(age_ms, 0);
}

StateBackup::~StateBackup() {
  if (!thread_.joinable()) return;
  copy_->stop = true;
  if (ended_.wait_for(kStopPatience) == std::future_status::ready) {
    thread_.join();
  } else {
    log::warn("the copy " + copy_->path + " is given up: the disk does not answer");
    thread_.detach();
  }
}

std::optional<std::string> StateBackup::newest(const std::string& state_dir) {
  const auto copies = copies_in(folder_of(state_dir));
  return copies.empty() ? std::nullopt : std::optional(copies.back().string());
}

std::int64_t StateBackup::due_ms(std::int64_t interval_ms) const {
  if (interval_ms == 0) return kNever;
  const std::int64_t due_ms = has_one_ ? last_ms_ + interval_ms : started_ms_ + std::min(interval_ms, kFirstMs);
  return std::max(due_ms, not_before_ms_);
}

std::int64_t StateBackup::wait_ms(std::int64_t interval_ms) const {
  if (thread_.joinable()) return kLookMs;
  const std::int64_t due = due_ms(interval_ms);
  return due == kNever ? kNever : std::max<std::int64_t>(due - monotonic_ms(), 0);
}

void StateBackup::turn(std::int64_t interval_ms, std::optional<std::int64_t> keep_free_bytes) {
  if (thread_.joinable()) {
    if (ended_.wait_for(std::chrono::seconds(0)) == std::future_status::ready) end();
    return;
  }
  if (monotonic_ms() < due_ms(interval_ms)) return;
  Outcome possible = files::make_directories(folder_, 0700);
  if (possible) possible = check_space(keep_free_bytes);
  if (!possible) {
    log::write(log::Level::kWarn, "no copy of the state file is made", possible.error());
    not_before_ms_ = monotonic_ms() + kRetryMs;
    return;
  }
  copy_ = std::make_shared<Copy>();
  copy_->state_dir = state_dir_;
  copy_->path = folder_ + "/" + name_of(clock::now_unix_ns());
  ended_ = copy_->ended.get_future();
  thread_ = std::thread([copy = copy_] { copy->ended.set_value(spool::back_up(copy->state_dir, copy->path, copy->stop)); });
}

void StateBackup::end() {
  thread_.join();
  if (const Outcome made = ended_.get(); !made) {
    log::write(log::Level::kError, "no copy of the state file was made", made.error());
    not_before_ms_ = monotonic_ms() + kRetryMs;
    return;
  }
  has_one_ = true;
  last_ms_ = monotonic_ms();
  log::info("the state file was copied to " + copy_->path);
  forget_old_ones();
}

// What it would take, and the floor that the spool leaves to the database.
Outcome StateBackup::check_space(std::optional<std::int64_t> keep_free_bytes) const {
  const std::uint64_t size = size_of(state_dir_ + "/spool.db") + size_of(state_dir_ + "/spool.db-wal");
  const auto disk = spool::free_space(folder_, keep_free_bytes);
  if (!disk || disk->available_bytes >= size + disk->floor_bytes) return {};  // not known: the copy itself will tell
  return Error{PGA_E_LIMIT, "backup.space",
               std::to_string(disk->available_bytes) + " bytes are free in " + folder_ + ", a copy takes " +
                   std::to_string(size) + " and " + std::to_string(disk->floor_bytes) + " are to stay free",
               "Make room, or give backup_interval = \"0s\" to go without copies.", 0};
}

void StateBackup::forget_old_ones() const {
  const auto copies = copies_in(folder_);
  for (std::size_t i = 0; i + kKept < copies.size(); ++i) {
    if (const Outcome gone = files::remove(copies[i].string()); !gone)
      log::write(log::Level::kWarn, "an old copy of the state file", gone.error());
  }
}

}  // namespace pganalytics::collector
