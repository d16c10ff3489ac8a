// What a shared object says of itself without being run: our ELF note and the linker's build id.
//
// It reads files that nobody has vouched for: every offset is checked against the file's size, nothing is allocated by what the
// file claims. Here: bytes to facts. Not here: opening files, trust (trust.cpp). [any thread]
#pragma once

#include <cstdint>
#include <pganalytics/expected.hpp>
#include <string>
#include <string_view>

namespace pganalytics::host {

struct ElfFacts {
  std::uint32_t abi_major = 0, abi_minor = 0;
  std::string id;
  std::string build_id;  // hex; empty if the linker wrote none
};

// PGA_E_UNSUPPORTED with code "plugin.not_elf", "plugin.machine", "plugin.no_note", "plugin.bad_note".
Expected<ElfFacts> read_elf_facts(std::string_view file);

// [a-z][a-z0-9_]{1,31}
bool is_plugin_id(std::string_view id);

}  // namespace pganalytics::host
