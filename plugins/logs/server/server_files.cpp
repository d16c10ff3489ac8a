#include "plugins/logs/server/server_files.h"

#include "plugins/logs/follow/fingerprint.h"

#include <fnmatch.h>

#include <algorithm>
#include <cstring>
#include <utility>

namespace pganalytics::logs {
namespace {

constexpr std::int64_t kSecond_ns = 1'000'000'000;

// Keeps the bytes that came last: a file's end is looked at again when its fingerprint is taken. As long as it was when it was
// listed; what it has grown by since is the next run's.
class ServerFile : public ReadableFile {
 public:
  ServerFile(LogSession& session, const ListedFile& file) : ReadableFile(file.facts), session_(session), path_(file.path) {}

  [[nodiscard]] Expected<std::size_t> read(std::uint64_t offset, char* to, std::size_t length) const override {
    const std::uint64_t size = facts().size;
    length = static_cast<std::size_t>(std::min<std::uint64_t>(length, size - std::min(offset, size)));
    if (length == 0) return std::size_t{0};
    if (offset < kept_from_ || offset + length > kept_from_ + kept_.size()) {
      constexpr std::uint64_t kLeastRead = 8 * 1024;  // another question costs more
      const std::uint64_t wanted = std::min(std::max<std::uint64_t>(length, kLeastRead), size - offset);
      PGA_TRY(auto bytes, session_.read(path_, offset, wanted));
      if (!bytes) return Error{PGA_E_FAIL, "logs.read", path_ + " was removed while it was read", "", 0};
      kept_ = std::move(*bytes);
      kept_from_ = offset;
    }
    const std::size_t at = static_cast<std::size_t>(offset - kept_from_);
    const std::size_t got = std::min(length, kept_.size() - at);
    std::memcpy(to, kept_.data() + at, got);
    return got;
  }

 private:
  LogSession& session_;
  const std::string path_;
  mutable std::string kept_;
  mutable std::uint64_t kept_from_ = 0;
};

}  // namespace

Outcome ServerFiles::list() {
  PGA_TRY(const auto listing, session_.list());
  now_ns_ = listing.now_s * kSecond_ns;
  for (const LogSession::Entry& entry : listing.entries) {
    files_.push_back(
        {folder_ + entry.name, {{system_identifier_, hash_bytes(entry.name) >> 1}, entry.size, entry.modified_s * kSecond_ns}});
  }
  return {};
}

std::vector<ListedFile> ServerFiles::matching(const std::string& pattern, Problems&) {
  std::vector<ListedFile> files;
  std::copy_if(files_.begin(), files_.end(), std::back_inserter(files), [&](const ListedFile& file) {
    return fnmatch(pattern.c_str(), file.path.c_str(), FNM_PATHNAME | FNM_PERIOD) == 0;
  });
  return files;
}

std::vector<ListedFile> ServerFiles::in_folder(const std::string& folder, Problems&) {
  return folder == folder_ ? files_ : std::vector<ListedFile>();
}

Expected<std::unique_ptr<ReadableFile>> ServerFiles::open(const std::string& path) {
  const auto found = std::find_if(files_.begin(), files_.end(), [&](const ListedFile& file) { return file.path == path; });
  if (found == files_.end()) return Error{PGA_E_FAIL, "logs.open", "the server lists no " + path, "", 0};
  return std::unique_ptr<ReadableFile>(std::make_unique<ServerFile>(session_, *found));
}

}  // namespace pganalytics::logs
