#include "core/server/program/private_cluster.h"

#include "core/clock/clock.h"
#include "core/crypto/digest.h"
#include "core/files/files.h"
#include "core/log/log.h"
#include "core/postgres/connection.h"
#include "core/server/program/child_process.h"
#include "core/server/program/cluster_lock.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <thread>

namespace pganalytics::server::program {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t kSecondNs = 1'000'000'000;
constexpr std::int64_t kStartPatienceNs = 60 * kSecondNs;
constexpr std::int64_t kLockPatienceNs = 60 * kSecondNs;
constexpr std::int64_t kPredecessorPatienceNs = 30 * kSecondNs;
constexpr std::int64_t kFastStopNs = 20 * kSecondNs;
constexpr std::int64_t kImmediateStopNs = 5 * kSecondNs;
constexpr std::size_t kSocketPathMax = 107;  // unix(7): sun_path with its NUL has 108 bytes
constexpr char kEnded[] = "cluster.ended";
constexpr char kSocketName[] = "/.s.PGSQL.5432";

// A 32nd of the memory, as far as that is between what a laptop would not notice and what a fleet that wants more brings a
// database of its own for. Pages that were never used take none.
std::string shared_buffers() {
  constexpr std::int64_t kLeastMb = 64, kMostMb = 512;
  const std::int64_t memory_mb = static_cast<std::int64_t>(::sysconf(_SC_PHYS_PAGES)) * ::sysconf(_SC_PAGESIZE) / (1 << 20);
  return std::to_string(std::clamp(memory_mb / 32, kLeastMb, kMostMb)) + "MB";
}

// Waiting for another process has no better means than asking again.
void pause() { std::this_thread::sleep_for(std::chrono::milliseconds(20)); }

template <class Condition>
bool wait_until(std::int64_t patience_ns, Condition&& condition) {
  const std::int64_t end = clock::now_monotonic_ns() + patience_ns;
  while (!condition()) {
    if (clock::now_monotonic_ns() > end) return false;
    pause();
  }
  return true;
}

// The socket lies beside the cluster; where that path would be too long for a socket, in a private folder under /tmp.
std::string socket_folder(const std::string& data_dir) {
  const std::string beside = data_dir + "/run";
  if (beside.size() + sizeof kSocketName <= kSocketPathMax) return beside;
  return "/tmp/pganalytics-" + std::to_string(::geteuid()) + "-" + crypto::sha256_hex(data_dir).substr(0, 16);
}

// A folder under /tmp could have been put there by anybody: it must be ours, a real folder, and closed.
Outcome make_private_folder(const std::string& path) {
  PGA_CHECK(files::make_directories(path, 0700));
  struct stat status {};
  if (::lstat(path.c_str(), &status) != 0 || !S_ISDIR(status.st_mode) || status.st_uid != ::geteuid() ||
      (status.st_mode & 0077) != 0) {
    return Error{PGA_E_DENIED, "cluster.socket", path + " is not a private folder of this user",
                 "Remove it, or choose a shorter data_dir.", 0};
  }
  return {};
}

// The postmaster named by postmaster.pid (first line), if that process is alive and works in this cluster's folder.
std::optional<pid_t> running_postmaster(const std::string& cluster_dir) {
  const auto content = files::read(cluster_dir + "/postmaster.pid", 4096);
  if (!content) return std::nullopt;
  pid_t pid = 0;
  std::from_chars(content->data(), content->data() + content->size(), pid);
  if (pid <= 1 || ::kill(pid, 0) != 0) return std::nullopt;
  std::error_code unreadable;
  const fs::path works_in = fs::read_symlink("/proc/" + std::to_string(pid) + "/cwd", unreadable);
  if (unreadable || works_in != fs::canonical(cluster_dir, unreadable)) return std::nullopt;
  return pid;
}

std::string last_lines(const std::string& path) {
  constexpr std::size_t kBytes = 600;
  const auto content = files::read(path, 64u << 20);
  if (!content) return "";
  return content->size() > kBytes ? content->substr(content->size() - kBytes) : *content;
}

}  // namespace

class PrivateCluster::Impl {
 public:
  Impl(std::string data_dir, std::string bin_dir)
      : data_dir_(std::move(data_dir)),
        bin_dir_(std::move(bin_dir)),
        cluster_dir_(data_dir_ + "/postgresql"),
        log_file_(data_dir_ + "/postgresql.log"),
        socket_dir_(socket_folder(data_dir_)),
        conninfo_("host=" + socket_dir_ + " port=5432 user=pganalytics dbname=postgres") {}

  [[nodiscard]] const std::string& conninfo() const { return conninfo_; }

  Outcome open(Holder holder) {
    PGA_CHECK(take_lock(holder));
    if (!lock_) return wait_ready();  // the running server's cluster
    PGA_CHECK(make_private_folder(socket_dir_));
    PGA_TRY(binaries_, find_cluster_binaries(bin_dir_, cluster_dir_));
    if (!fs::exists(cluster_dir_ + "/PG_VERSION")) PGA_CHECK(initialise());
    return start_after_predecessor();
  }

  Outcome keep_running() {
    if (!lock_ || alive()) return {};
    log::warn("the private PostgreSQL has ended; starting it again");
    PGA_CHECK(start());
    ++restarts_;
    return {};
  }

  [[nodiscard]] std::uint64_t restarts() const { return restarts_; }

  void stop() {
    if (!lock_ || pid_ == 0) return;
    ::kill(pid_, SIGINT);
    if (!wait_until(kFastStopNs, [&] { return !alive(); })) {
      log::warn("the private PostgreSQL does not end within 20 s; stopping it at once");
      ::kill(pid_, SIGQUIT);
      wait_until(kImmediateStopNs, [&] { return !alive(); });
    }
    pid_ = 0;
    lock_.reset();
  }

 private:
  Outcome take_lock(Holder holder) {
    const std::string path = data_dir_ + "/cluster.lock";
    const std::int64_t end = clock::now_monotonic_ns() + kLockPatienceNs;
    for (;;) {
      PGA_TRY(auto taken, try_lock_cluster(path, holder == Holder::kServer));
      if (taken) {
        lock_.emplace(std::move(*taken));
        return {};
      }
      if (locked_by_server(path)) {
        if (holder == Holder::kCommand) return {};
        return Error{PGA_E_FAIL, "cluster.in_use", "another server uses data_dir " + data_dir_,
                     "Stop it, or give each its own data_dir.", 0};
      }
      if (clock::now_monotonic_ns() > end) {
        return Error{PGA_E_TRANSIENT, "cluster.in_use", "another command has been using data_dir " + data_dir_ + " for 60 s",
                     "Wait for it to finish.", 0};
      }
      pause();
    }
  }

  // In a folder beside, then renamed: a cluster under its name is complete.
  Outcome initialise() {
    log::info("making a private PostgreSQL " + std::to_string(binaries_.major) + " in " + cluster_dir_);
    const std::string unfinished = cluster_dir_ + ".new";
    std::error_code failed;
    fs::remove_all(unfinished, failed);
    const auto status = run_to_end({binaries_.folder + "/initdb", "-D", unfinished, "-U", "pganalytics", "-A", "trust", "-E",
                                    "UTF8", "--locale=C", "--no-instructions"},
                                   log_file_);
    if (!status) return status.error();
    if (*status != 0)
      return Error{PGA_E_FAIL, "cluster.initdb", "initdb failed: " + last_lines(log_file_), "See " + log_file_ + ".", 0};
    fs::rename(unfinished, cluster_dir_, failed);
    if (failed) return Error{PGA_E_FAIL, "cluster.initdb", "renaming " + unfinished + ": " + failed.message(), "", 0};
    return {};
  }

  // One that was killed a moment ago may still be on its way out, itself or its children: PostgreSQL refuses to start beside
  // them.
  Outcome start_after_predecessor() {
    const std::int64_t end = clock::now_monotonic_ns() + kPredecessorPatienceNs;
    for (;;) {
      const bool was_killed = fs::exists(cluster_dir_ + "/postmaster.pid");
      Outcome started = start();
      if (started || !was_killed || started.error().code != kEnded || clock::now_monotonic_ns() > end) return started;
      wait_until(kSecondNs / 2, [] { return false; });
    }
  }

  Outcome start() {
    if (const auto running = running_postmaster(cluster_dir_)) {
      log::info("adopting the private PostgreSQL that is running already, process " + std::to_string(*running));
      pid_ = *running;
    } else {
      // No TCP; the folder of the socket keeps others out, hence "trust". After a checkpoint each page goes whole into the WAL
      // once: with the default of 1 GB a fleet would bring on the next one by that alone.
      PGA_TRY(pid_, spawn({binaries_.folder + "/postgres",
                           "-D",
                           cluster_dir_,
                           "-k",
                           socket_dir_,
                           "-p",
                           "5432",
                           "-c",
                           "listen_addresses=",
                           "-c",
                           "unix_socket_permissions=0700",
                           "-c",
                           "max_connections=100",
                           "-c",
                           "shared_buffers=" + shared_buffers(),
                           "-c",
                           "max_wal_size=4GB",
                           "-c",
                           "log_destination=stderr",
                           "-c",
                           "logging_collector=off"},
                          log_file_));
    }
    return wait_ready();
  }

  Outcome wait_ready() {
    Error last{PGA_E_TRANSIENT, "cluster.start", "the private PostgreSQL does not answer", "See " + log_file_ + ".", 0};
    const bool ready = wait_until(kStartPatienceNs, [&] {
      const postgres::Deadline deadline{clock::now_monotonic_ns() + 5 * kSecondNs, -1};
      const auto connection = postgres::Connection::open(conninfo_, {}, deadline);
      if (!connection) last.message = connection.error().message;
      return connection || (pid_ != 0 && !alive());
    });
    if (pid_ != 0 && !alive()) {
      return Error{PGA_E_FAIL, kEnded, "the private PostgreSQL ended at once: " + last_lines(log_file_), "See " + log_file_ + ".",
                   0};
    }
    if (!ready) return last;
    return {};
  }

  // Our own child must be waited for, or it stays a zombie that looks alive.
  bool alive() {
    if (pid_ == 0) return false;
    if (has_ended(pid_)) return false;
    return ::kill(pid_, 0) == 0;
  }

  const std::string data_dir_, bin_dir_, cluster_dir_, log_file_, socket_dir_, conninfo_;
  ClusterBinaries binaries_;
  std::optional<files::FileLock> lock_;  // absent: the cluster is a running server's
  pid_t pid_ = 0;
  std::atomic<std::uint64_t> restarts_{0};
};

PrivateCluster::PrivateCluster(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
PrivateCluster::~PrivateCluster() { impl_->stop(); }

Expected<std::unique_ptr<PrivateCluster>> PrivateCluster::open(const std::string& data_dir, const std::string& bin_dir,
                                                               Holder holder) {
  auto impl = std::make_unique<Impl>(data_dir, bin_dir);
  if (Outcome opened = impl->open(holder); !opened) {
    impl->stop();
    return std::move(opened).error();
  }
  return std::unique_ptr<PrivateCluster>(new PrivateCluster(std::move(impl)));
}

const std::string& PrivateCluster::conninfo() const { return impl_->conninfo(); }
Outcome PrivateCluster::keep_running() { return impl_->keep_running(); }
std::uint64_t PrivateCluster::restarts() const { return impl_->restarts(); }
void PrivateCluster::stop() { impl_->stop(); }

}  // namespace pganalytics::server::program
