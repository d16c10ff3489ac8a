// The first steps of reading an ELF file that nobody has vouched for: its header, and any record at any offset.
//
// Used by elf_note.cpp and by core/validator, which reads more of the file. [any thread]
#pragma once

#include <elf.h>

#include <cstdint>
#include <cstring>
#include <optional>
#include <pganalytics/expected.hpp>
#include <string_view>

namespace pganalytics::host {

// A T at `offset` of `file`, copied out because nothing says that it is aligned. nullopt: it would run past the end.
template <class T>
std::optional<T> elf_record(std::string_view file, std::uint64_t offset) {
  if (offset > file.size() || file.size() - offset < sizeof(T)) return std::nullopt;
  T value;
  std::memcpy(&value, file.data() + offset, sizeof value);
  return value;
}

// Of a 64-bit shared object for this machine. Codes "plugin.not_elf", "plugin.machine".
Expected<Elf64_Ehdr> read_elf_header(std::string_view file);

// The program header `index` of header.e_phnum. Code "plugin.not_elf".
Expected<Elf64_Phdr> read_elf_segment(std::string_view file, const Elf64_Ehdr& header, std::uint64_t index);

}  // namespace pganalytics::host
