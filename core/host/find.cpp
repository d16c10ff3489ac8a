// find_plugins(): the *.so files of the plugin folders, judged without running their code. [main thread]
#include <algorithm>
#include <filesystem>
#include <map>
#include <system_error>

#include "core/crypto/digest.h"
#include "core/files/files.h"
#include "core/host/elf_note.h"
#include "core/host/plugin_file.h"
#include "core/host/plugin_info.h"

namespace pganalytics::host {
namespace {

constexpr std::size_t kPluginBytesMax = 256u << 20;

std::vector<std::string> shared_objects_in(const std::string& folder) {
  std::vector<std::string> paths;
  std::error_code failed;  // a folder that is not there holds no plugins
  for (std::filesystem::directory_iterator entry(folder, failed), end; !failed && entry != end; entry.increment(failed)) {
    if (entry->path().extension() == ".so") paths.push_back(entry->path().string());
  }
  std::sort(paths.begin(), paths.end());
  return paths;
}

}  // namespace

std::string build_id_of(const PluginFile& file) {
  return file.facts.build_id.empty() ? crypto::sha256_hex(file.bytes) : file.facts.build_id;
}

Expected<PluginFile> read_plugin_file(const std::string& path) {
  PGA_CHECK(check_trust(path));
  auto bytes = files::read(path, kPluginBytesMax);
  if (!bytes) {
    Error error = std::move(bytes).error();
    error.hint = error.status == PGA_E_DENIED ? "Let the collector's user read it: chmod go+r " + path + "."
                                              : "Install the plugin again: this file is damaged, or is no plugin.";
    return error;
  }
  auto facts = read_elf_facts(*bytes);
  if (!facts) return std::move(facts).error().while_doing(path + " is no plugin for this host");
  return PluginFile{std::move(*facts), std::move(*bytes)};
}

Candidate examine_plugin(const std::string& path) {
  Candidate candidate;
  std::error_code failed;
  const auto resolved = std::filesystem::canonical(path, failed);
  candidate.path = failed ? path : resolved.string();
  candidate.id = std::filesystem::path(path).stem().string();
  auto file = read_plugin_file(path);
  if (!file) {
    candidate.refused = std::move(file).error();
    return candidate;
  }
  candidate.id = file->facts.id;
  candidate.abi_major = file->facts.abi_major;
  candidate.abi_minor = file->facts.abi_minor;
  candidate.build_id = build_id_of(*file);
  if (file->facts.abi_major != PGA_ABI_MAJOR) {
    candidate.refused = Error{PGA_E_UNSUPPORTED, "plugin.abi_major",
                              path + " was built for plugin ABI " + std::to_string(file->facts.abi_major) + ", this host has " +
                                  std::to_string(PGA_ABI_MAJOR),
                              "Install the plugin's build for this version.", 0};
  }
  return candidate;
}

Outcome check_unchanged(const PluginInfo& info) {
  PGA_TRY(const PluginFile file, read_plugin_file(info.path));
  if (file.facts.id == info.id && build_id_of(file) == info.build_id) return {};
  return Error{PGA_E_UNSUPPORTED, "plugin.changed",
               info.path + " is another build than the one that was read at the last start or reload",
               "Reload the collector, `systemctl reload pganalytics`, and it takes what is there now.", 0};
}

std::vector<Candidate> find_plugins(const std::vector<std::string>& folders) {
  std::vector<Candidate> found;
  std::map<std::string, std::string> path_by_id;
  for (const std::string& folder : folders) {
    for (const std::string& path : shared_objects_in(folder)) {
      Candidate candidate = examine_plugin(path);
      if (!candidate.refused) {
        const auto [first, is_first] = path_by_id.emplace(candidate.id, candidate.path);
        if (!is_first) {
          candidate.refused = Error{PGA_E_UNSUPPORTED, "plugin.shadowed",
                                    candidate.path + " is not used: " + first->second + " has the same id and comes first",
                                    "Remove one of the two, or give its folder another place in plugin_dirs.", 0};
        }
      }
      found.push_back(std::move(candidate));
    }
  }
  std::stable_sort(found.begin(), found.end(), [](const Candidate& a, const Candidate& b) { return a.id < b.id; });
  return found;
}

}  // namespace pganalytics::host
