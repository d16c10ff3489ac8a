#include "core/spool/spool.h"

#include "core/files/files.h"
#include "core/spool/disk_store.h"
#include "core/spool/spool_file.h"
#include "core/spool/spool_lock.h"

#include <mutex>

namespace pganalytics::spool {

class Spool::Impl {
 public:
  Impl(SpoolLock&& lock, std::unique_ptr<DiskStore> disk) : lock_(std::move(lock)), disk_(std::move(disk)) {}

  template <class Work>
  auto with(Work&& work) {
    const std::lock_guard guard(mutex_);
    return work(*disk_);
  }

 private:
  std::mutex mutex_;
  SpoolLock lock_;
  std::unique_ptr<DiskStore> disk_;
};

Expected<std::unique_ptr<Spool>> Spool::open(const std::string& dir, const SpoolOptions& options) {
  PGA_CHECK(files::make_directories(dir, 0700));
  PGA_TRY(SpoolLock lock, SpoolLock::take(dir));
  PGA_TRY(auto disk, DiskStore::open(dir, options));
  return std::unique_ptr<Spool>(new Spool(std::make_unique<Impl>(std::move(lock), std::move(disk))));
}

Spool::Spool(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Spool::~Spool() = default;
Expected<std::uint64_t> Spool::seal(SealedRun&& run) {
  return impl_->with([&](DiskStore& disk) { return disk.seal(run); });
}
Expected<std::map<std::string, std::string>> Spool::state_of(const std::string& plugin) {
  return impl_->with([&](DiskStore& disk) { return disk.state_of(plugin); });
}
Expected<std::optional<Batch>> Spool::next(Lane lane) {
  return impl_->with([&](DiskStore& disk) { return disk.next(lane); });
}
Outcome Spool::hold(const BatchKey& key) {
  return impl_->with([&](DiskStore& disk) { return disk.hold(key); });
}
void Spool::release(const BatchKey& key) {
  impl_->with([&](DiskStore& disk) { disk.release(key); });
}
Outcome Spool::acknowledge(const BatchKey& key) {
  return impl_->with([&](DiskStore& disk) { return disk.acknowledge(key); });
}
Outcome Spool::set_aside(const BatchKey& key, const std::string& reason) {
  return impl_->with([&](DiskStore& disk) { return disk.set_aside(key, reason); });
}
Expected<bool> Spool::split(const BatchKey& key) {
  return impl_->with([&](DiskStore& disk) { return disk.split(key); });
}
Outcome Spool::rekey(const BatchKey& key) {
  return impl_->with([&](DiskStore& disk) { return disk.rekey(key); });
}
Expected<std::vector<Loss>> Spool::losses() {
  return impl_->with([&](DiskStore& disk) { return disk.losses(); });
}
Expected<std::optional<std::string>> Spool::value(const std::string& key) {
  return impl_->with([&](DiskStore& disk) { return disk.value(key); });
}
Outcome Spool::set_value(const std::string& key, const std::string& value) {
  return impl_->with([&](DiskStore& disk) { return disk.set_value(key, value); });
}
Outcome Spool::remove_value(const std::string& key) {
  return impl_->with([&](DiskStore& disk) { return disk.set_value(key, std::nullopt); });
}
Expected<SpoolStatus> Spool::status() {
  return impl_->with([&](DiskStore& disk) { return disk.status(); });
}
void Spool::set_encoding(compression::Encoding encoding) {
  impl_->with([&](DiskStore& disk) { disk.set_encoding(encoding); });
}
void Spool::set_caps(const SpoolCaps& caps) {
  impl_->with([&](DiskStore& disk) { disk.set_caps(caps); });
}

}  // namespace pganalytics::spool
