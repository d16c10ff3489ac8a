#include "core/collector/installation.h"

#include <cstdlib>
#include <filesystem>

namespace pganalytics::collector {
namespace {

namespace fs = std::filesystem;

// The folder above the one the program is in: the build tree, /usr, /opt/pganalytics.
fs::path prefix() {
  std::error_code unknown;
  return fs::read_symlink("/proc/self/exe", unknown).parent_path().parent_path();
}

}  // namespace

std::string worker_path() {
  if (const char* const given = std::getenv("PGANALYTICS_WORKER"); given != nullptr && *given != '\0') return given;
  std::error_code unknown;
  const fs::path beside = prefix() / "libexec/pganalytics/pganalytics-worker";
  return fs::exists(beside, unknown) ? beside.string() : PGANALYTICS_INSTALLED_WORKER;
}

std::vector<std::string> default_plugin_dirs() {
  std::vector<std::string> folders;
  for (const fs::path& folder : {prefix() / "lib/pganalytics/plugins", fs::path(PGANALYTICS_INSTALLED_PLUGINS)}) {
    std::error_code unknown;
    const std::string real = fs::canonical(folder, unknown).string();
    if (!unknown && (folders.empty() || folders.front() != real)) folders.push_back(real);
  }
  return folders;
}

}  // namespace pganalytics::collector
