#include "core/server/program/cluster_binaries.h"

#include "core/files/files.h"

#include <unistd.h>

#include <charconv>
#include <cstdlib>
#include <filesystem>
#include <optional>
#include <vector>

namespace pganalytics::server::program {
namespace {

namespace fs = std::filesystem;

bool has_server(const fs::path& folder) {
  return ::access((folder / "postgres").c_str(), X_OK) == 0 && ::access((folder / "initdb").c_str(), X_OK) == 0;
}

// The last number in a text: "/usr/lib/postgresql/15" -> 15, "postgres (PostgreSQL) 15.8" is asked for differently (below).
int trailing_number(const std::string& text) {
  const std::size_t digits = text.find_last_not_of("0123456789") + 1;
  int number = 0;
  std::from_chars(text.data() + digits, text.data() + text.size(), number);
  return number;
}

std::vector<ClusterBinaries> installed() {
  std::vector<ClusterBinaries> found;
  const auto look = [&](const fs::path& parent, const std::string& prefix, const char* below) {
    std::error_code none;  // a folder that is not there has nothing in it
    for (const auto& entry : fs::directory_iterator(parent, none)) {
      const std::string name = entry.path().filename().string();
      const int major = trailing_number(name);
      if (name.rfind(prefix, 0) == 0 && major > 0 && has_server(entry.path() / below))
        found.push_back({(entry.path() / below).string(), major});
    }
  };
  look("/usr/lib/postgresql", "", "bin");
  look("/usr", "pgsql-", "bin");
  return found;
}

// A folder from PATH or the configuration does not tell its major by name; pg_config's sibling file does not exist everywhere, so
// the program is asked: "postgres (PostgreSQL) 15.8 (Debian ...)".
int major_of(const std::string& folder) {
  const std::string command = "'" + folder + "/postgres' --version";
  FILE* const output = folder.find('\'') == std::string::npos ? ::popen(command.c_str(), "re") : nullptr;
  if (output == nullptr) return 0;
  char line[256] = "";
  const bool read = std::fgets(line, sizeof line, output) != nullptr;
  ::pclose(output);
  const std::string text = read ? line : "";
  const std::size_t at = text.find_first_of("0123456789");
  int major = 0;
  if (at != std::string::npos) std::from_chars(text.data() + at, text.data() + text.size(), major);
  return major;
}

std::optional<ClusterBinaries> in_path() {
  const char* const path = std::getenv("PATH");
  std::string rest = path == nullptr ? "" : path;
  while (!rest.empty()) {
    const std::size_t colon = rest.find(':');
    const std::string folder = rest.substr(0, colon);
    rest = colon == std::string::npos ? "" : rest.substr(colon + 1);
    if (!folder.empty() && folder.front() == '/' && has_server(folder)) return ClusterBinaries{folder, major_of(folder)};
  }
  return std::nullopt;
}

std::optional<int> major_that_made(const std::string& cluster_dir) {
  const auto version = files::read(cluster_dir + "/PG_VERSION", 64);
  if (!version) return std::nullopt;
  int major = 0;
  std::from_chars(version->data(), version->data() + version->size(), major);
  return major;
}

Error none_found(const std::string& what, const std::string& hint) {
  return Error{PGA_E_NOTFOUND, "cluster.binaries", what, hint, 0};
}

}  // namespace

Expected<ClusterBinaries> find_cluster_binaries(const std::string& bin_dir, const std::string& cluster_dir) {
  const auto made_by = major_that_made(cluster_dir);
  std::vector<ClusterBinaries> candidates = bin_dir.empty() ? installed() : std::vector<ClusterBinaries>();
  if (!bin_dir.empty()) {
    if (!has_server(bin_dir))
      return none_found("no PostgreSQL server in [database] bin_dir " + bin_dir, "It must hold postgres and initdb.");
    candidates.push_back({bin_dir, major_of(bin_dir)});
  } else if (const auto found = in_path()) {
    candidates.push_back(*found);
  }
  const ClusterBinaries* best = nullptr;
  for (const ClusterBinaries& candidate : candidates) {
    if (made_by && candidate.major != *made_by) continue;
    if (best == nullptr || candidate.major > best->major) best = &candidate;
  }
  if (best != nullptr) return *best;
  if (made_by && !candidates.empty()) {
    return none_found("the private cluster in " + cluster_dir + " was made by PostgreSQL " + std::to_string(*made_by) +
                          ", which is not installed",
                      "Install postgresql-" + std::to_string(*made_by) + ", or move the data with pg_upgrade.");
  }
  return none_found("no PostgreSQL binaries found for the private cluster",
                    "Install the package postgresql, or set [database] url.");
}

}  // namespace pganalytics::server::program
