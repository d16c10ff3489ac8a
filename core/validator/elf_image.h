// A shared object as the dynamic linker will see it: its segments, its dynamic section, its dynamic symbols.
//
// It reads files that nobody has vouched for: every offset is checked against the file, what is too large is refused, nothing is
// allocated by what the file claims. Here: bytes to facts. Not here: what a good plugin has (elf_checks.h). [any thread]
#pragma once

#include <elf.h>

#include <pganalytics/expected.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace pganalytics::validator {

struct ElfSymbol {
  std::string name;
  unsigned char binding = 0, type = 0, visibility = 0;  // STB_, STT_, STV_
  bool defined = false;
};

struct ElfImage {
  std::vector<Elf64_Phdr> segments;
  std::vector<Elf64_Dyn> dynamic;  // without the final DT_NULL
  std::vector<std::string> needed;
  std::string soname, rpath, runpath;  // empty: none
  std::vector<ElfSymbol> symbols;      // dynamic ones only: a stripped file keeps them

  [[nodiscard]] bool has(Elf64_Sxword tag) const;
  [[nodiscard]] Elf64_Xword value(Elf64_Sxword tag) const;  // 0 if there is none
  [[nodiscard]] const Elf64_Phdr* segment(Elf64_Word type) const;
};

// `file` has a good header (read_elf_header). PGA_E_UNSUPPORTED with code "plugin.not_elf".
Expected<ElfImage> read_elf_image(std::string_view file);

}  // namespace pganalytics::validator
