// What the host knows of a plugin file: found, trusted or refused, and what its descriptor says.
#pragma once

#include <cstdint>
#include <optional>
#include <pganalytics/expected.hpp>
#include <string>
#include <vector>

namespace pganalytics::host {

// From the descriptor, as the worker read it.
struct PluginInfo {
  std::string id;
  std::vector<std::string> aliases;
  std::string version, vendor, description, license, url;
  std::string config_schema, output_schema;  // JSON text
  std::uint32_t abi_minor = 0;
  std::uint32_t needs = 0, flags = 0;  // PGA_NEED_*, PGA_F_*
  std::int64_t default_interval_ms = 0, default_timeout_ms = 0;
  std::string path;      // real path of the file
  std::string build_id;  // hex of the ELF build id, or of the file's SHA-256 where it has none
};

// One *.so in a plugin folder, judged without running its code.
struct Candidate {
  std::string path;
  std::string id;                // from the note; file stem if there is no readable note
  std::optional<Error> refused;  // not trusted, no note, other ABI major, wrong machine, shadowed by an earlier folder
  std::uint32_t abi_major = 0, abi_minor = 0;  // from the note; 0: there is no readable note
  std::string build_id{};                      // as PluginInfo's; empty: there is no readable note
};

// Every *.so of `folders`, first folder wins for the same id; sorted by id. A folder that does not exist is skipped. No plugin
// code runs.
std::vector<Candidate> find_plugins(const std::vector<std::string>& folders);

// One file, wherever it lies, by the same rules.
Candidate examine_plugin(const std::string& path);

// Path, owner, mode and every parent (DESIGN section 5, Trust): regular file, real path, writable by none but root and this
// process' user.
Outcome check_trust(const std::string& path);

// The same for a file that is no plugin but is to run in our name, whatever it is called.
Outcome check_trusted_path(const std::string& path);

// That the file may still be loaded as what it was described as: trusted, of the same id, of the same build.
Outcome check_unchanged(const PluginInfo& info);

// Start the worker, load, read the descriptor, stop the worker. Blocks up to `timeout_ms`. [any thread that lives on until then]
Expected<PluginInfo> describe(const Candidate& candidate, const std::string& worker_path, std::int64_t timeout_ms = 10'000);

}  // namespace pganalytics::host
