// A plugin's file, trusted and read once: for finding and for describing.
#pragma once

#include <pganalytics/expected.hpp>
#include <string>

#include "core/host/elf_note.h"

namespace pganalytics::host {

struct PluginFile {
  ElfFacts facts;
  std::string bytes;
};

// Hex of the ELF build id, or of the file's SHA-256 where it has none.
std::string build_id_of(const PluginFile& file);

// Trust first, then the bytes, then what they say. The ABI major is the caller's to judge. [any thread]
Expected<PluginFile> read_plugin_file(const std::string& path);

}  // namespace pganalytics::host
