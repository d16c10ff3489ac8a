#include "core/host/readable_places.h"

#include <glob.h>
#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <system_error>

namespace pganalytics::host {
namespace {

namespace fs = std::filesystem;

// Of every system: no folder with one of these in it is given because of a file that it holds.
constexpr const char* kSystemSecrets[] = {"/etc/shadow",      "/etc/gshadow",         "/etc/ssh",
                                          "/etc/ssl/private", "/etc/pki/tls/private", "/root/.ssh"};

// Without links, as far as the path exists.
std::string real(const std::string& path) {
  std::error_code failed;
  const fs::path resolved = fs::weakly_canonical(path, failed);
  std::string text = failed ? path : resolved.string();
  while (text.size() > 1 && text.back() == '/') text.pop_back();
  return text;
}

bool exists(const std::string& path) {
  std::error_code failed;
  return fs::exists(path, failed);
}

bool is_folder(const std::string& path) {
  std::error_code failed;
  return fs::is_directory(path, failed);
}

// `path` is `folder` or beneath it.
bool is_within(const std::string& path, const std::string& folder) {
  if (folder == "/" || path == folder) return true;
  return path.size() > folder.size() && path.compare(0, folder.size(), folder) == 0 && path[folder.size()] == '/';
}

std::string folder_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  return slash == 0 ? "/" : path.substr(0, slash);
}

bool is_pattern(const std::string& path) { return path.find_first_of("*?[") != std::string::npos; }

std::vector<std::string> matches(const std::string& pattern) {
  std::vector<std::string> found;
  glob_t result{};
  if (glob(pattern.c_str(), GLOB_NOSORT, nullptr, &result) == 0) found.assign(result.gl_pathv, result.gl_pathv + result.gl_pathc);
  globfree(&result);
  return found;
}

Error secret(const std::string& path, const char* why) {
  return Error{PGA_E_CONFIG, "plugin.secret_path", "'" + path + "' " + why,
               "Name a folder or a file that plugins may read whole.", 0};
}

}  // namespace

ReadablePlaces::ReadablePlaces(const std::vector<std::string>& secret_paths) {
  secrets_.assign(std::begin(kSystemSecrets), std::end(kSystemSecrets));
  for (const std::string& path : secret_paths) secrets_.push_back(real(path));
}

bool ReadablePlaces::is_secret(const std::string& path) const {
  return std::any_of(secrets_.begin(), secrets_.end(),
                     [&](const std::string& secret_path) { return is_within(path, secret_path); });
}

bool ReadablePlaces::holds_secret(const std::string& folder) const {
  return is_secret(folder) || std::any_of(secrets_.begin(), secrets_.end(),
                                          [&](const std::string& secret_path) { return is_within(secret_path, folder); });
}

void ReadablePlaces::give(const std::string& real_path, std::uint32_t access) {
  struct stat facts {};
  if (stat(real_path.c_str(), &facts) != 0) return;
  const auto known =
      std::find_if(grants_.begin(), grants_.end(), [&](const PathGrant& grant) { return grant.path == real_path; });
  if (known != grants_.end()) {
    known->access |= access;
  } else {
    grants_.push_back({real_path, access, facts.st_ino});
  }
}

void ReadablePlaces::add(const std::string& path, std::uint32_t access) {
  const std::string real_path = real(path);
  if (!exists(real_path) || is_secret(real_path) || (is_folder(real_path) && holds_secret(real_path))) return;
  give(real_path, access);
}

// The folder, and what a link in it leads to; in a folder with secrets the file alone.
void ReadablePlaces::add_file(const std::string& path, std::uint32_t access) {
  const std::string folder = real(folder_of(path)), file = real(path);
  const bool whole_folder = is_folder(folder) && !holds_secret(folder);
  if (whole_folder) give(folder, access);
  if (exists(file) && !is_secret(file) && !(whole_folder && is_within(file, folder))) give(file, access);
}

// Patterns in a folder's name are looked up now: "/var/lib/postgresql/*/*/log/*.log" gives the log folders and not the data
// beside them. The plugin finds them by listing what lies above. Links that match are not followed out of their folder: others
// may have put them there.
void ReadablePlaces::add_pattern(const std::string& pattern, std::uint32_t access) {
  const std::string folder = folder_of(pattern);
  if (is_pattern(folder)) {
    const std::string fixed = real(folder_of(folder.substr(0, folder.find_first_of("*?["))));
    if (is_folder(fixed) && !holds_secret(fixed)) give(fixed, PathGrant::kList);
  }
  for (const std::string& match : is_pattern(folder) ? matches(folder) : std::vector<std::string>{folder}) {
    const std::string real_folder = real(match);
    if (!is_folder(real_folder) || is_secret(real_folder)) continue;
    if (!holds_secret(real_folder)) {
      give(real_folder, access);
      continue;
    }
    for (const std::string& file : matches(real_folder + pattern.substr(pattern.rfind('/')))) {
      if (!is_folder(file) && real(file) == file && !is_secret(file)) give(file, access);
    }
  }
}

Outcome ReadablePlaces::add_named(const std::string& path, std::uint32_t access) {
  if (path.empty() || path.front() != '/') return {};  // the plugin's to refuse: it means nothing here
  if (is_pattern(path) && !exists(path)) {
    add_pattern(path, access);
    return {};
  }
  const std::string real_path = real(path);
  if (is_secret(real_path)) return secret(path, "is the collector's or the system's own secret");
  if (!is_folder(real_path)) {
    add_file(path, access);
    return {};
  }
  if (holds_secret(real_path)) return secret(path, "has secrets of the collector or of the system in it");
  give(real_path, access);
  return {};
}

std::vector<PathGrant> ReadablePlaces::grants() const {
  std::vector<PathGrant> sorted = grants_;
  std::sort(sorted.begin(), sorted.end(), [](const PathGrant& a, const PathGrant& b) { return a.path < b.path; });
  return sorted;
}

}  // namespace pganalytics::host
