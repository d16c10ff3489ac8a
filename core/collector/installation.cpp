#include "core/collector/installation.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>

namespace pganalytics::collector {
namespace {

namespace fs = std::filesystem;

fs::path prefix() {
  std::error_code unknown;
  return fs::read_symlink("/proc/self/exe", unknown).parent_path().parent_path();
}

}  // namespace

std::string installation_prefix() { return prefix().string(); }

std::string worker_path() {
  if (const char* const given = std::getenv("PGANALYTICS_WORKER"); given != nullptr && *given != '\0') return given;
  std::error_code unknown;
  const fs::path beside = prefix() / "libexec/pganalytics/pganalytics-worker";
  return fs::exists(beside, unknown) ? beside.string() : PGANALYTICS_INSTALLED_WORKER;
}

std::string program_folder() {
  std::error_code unknown;
  const fs::path beside = prefix() / "libexec/pganalytics";
  return fs::exists(beside, unknown) ? beside.string() : fs::path(PGANALYTICS_INSTALLED_WORKER).parent_path().string();
}

std::vector<std::string> default_plugin_dirs() {
  std::vector<std::string> folders;
  for (const fs::path& folder : {prefix() / "lib/pganalytics/plugins", fs::path(PGANALYTICS_INSTALLED_PLUGINS),
                                 fs::path("/usr/local/lib/pganalytics/plugins")}) {
    std::error_code unknown;
    const std::string real = fs::canonical(folder, unknown).string();
    if (!unknown && std::find(folders.begin(), folders.end(), real) == folders.end()) folders.push_back(real);
  }
  return folders;
}

Expected<std::string> template_dir() {
  const fs::path beside = prefix() / "share/pganalytics/template";
  for (const fs::path& folder : {beside, fs::path(PGANALYTICS_INSTALLED_TEMPLATES)}) {
    std::error_code unknown;
    if (fs::is_directory(folder, unknown)) return folder.string();
  }
  return Error{PGA_E_NOTFOUND, "sdk.missing", "the plugin templates are not installed: there is no " + beside.string(),
               "Install the plugin SDK (package pganalytics-plugin-dev).", 0};
}

}  // namespace pganalytics::collector
