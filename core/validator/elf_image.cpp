#include "core/validator/elf_image.h"

#include "core/host/elf_bytes.h"

#include <algorithm>

namespace pganalytics::validator {
namespace {

using host::elf_record;

// The largest plugins seen (Go, with everything exported) have some thousands.
constexpr std::uint64_t kSymbolsMax = 1u << 20;
constexpr std::size_t kNameBytesMax = 4096;

Error malformed(const std::string& why) { return Error{PGA_E_UNSUPPORTED, "plugin.not_elf", why, "", 0}; }

// Where in the file the byte lies that will be at `address`; nullopt: nowhere.
std::optional<std::uint64_t> offset_of(const ElfImage& image, Elf64_Addr address) {
  for (const Elf64_Phdr& segment : image.segments) {
    if (segment.p_type != PT_LOAD || address < segment.p_vaddr || address - segment.p_vaddr >= segment.p_filesz) continue;
    return segment.p_offset + (address - segment.p_vaddr);
  }
  return std::nullopt;
}

// Reads names out of the dynamic string table.
class Strings {
 public:
  Strings(std::string_view file, const ElfImage& image) {
    const auto offset = offset_of(image, image.value(DT_STRTAB));
    if (offset && *offset <= file.size()) table_ = file.substr(*offset, image.value(DT_STRSZ));
  }

  [[nodiscard]] Expected<std::string> at(Elf64_Xword index) const {
    if (index >= table_.size()) return malformed("a name lies outside its string table");
    const std::string_view rest = table_.substr(index, kNameBytesMax);
    const std::size_t end = rest.find('\0');
    if (end == std::string_view::npos) return malformed("a name in its string table has no end");
    return std::string(rest.substr(0, end));
  }

 private:
  std::string_view table_;
};

Outcome read_dynamic(std::string_view file, ElfImage& image) {
  const Elf64_Phdr* const segment = image.segment(PT_DYNAMIC);
  if (segment == nullptr) return malformed("it has no dynamic section");
  const std::string_view section = file.substr(segment->p_offset, segment->p_filesz);
  for (std::uint64_t offset = 0; const auto entry = elf_record<Elf64_Dyn>(section, offset); offset += sizeof *entry) {
    if (entry->d_tag == DT_NULL) return {};
    image.dynamic.push_back(*entry);
  }
  return malformed("its dynamic section has no end");
}

Outcome read_names(const Strings& strings, ElfImage& image) {
  for (const Elf64_Dyn& entry : image.dynamic) {
    if (entry.d_tag == DT_NEEDED) {
      PGA_TRY(image.needed.emplace_back(), strings.at(entry.d_un.d_val));
    } else if (entry.d_tag == DT_SONAME) {
      PGA_TRY(image.soname, strings.at(entry.d_un.d_val));
    } else if (entry.d_tag == DT_RPATH) {
      PGA_TRY(image.rpath, strings.at(entry.d_un.d_val));
    } else if (entry.d_tag == DT_RUNPATH) {
      PGA_TRY(image.runpath, strings.at(entry.d_un.d_val));
    }
  }
  return {};
}

// The dynamic symbol table's length stands in its section header alone; the loader does without, by its hash tables.
Expected<Elf64_Shdr> find_symbol_table(std::string_view file, const Elf64_Ehdr& header) {
  if (header.e_shentsize != sizeof(Elf64_Shdr) || header.e_shoff > file.size()) return malformed("it has no section headers");
  for (std::uint64_t i = 0; i < header.e_shnum; ++i) {
    const auto section = elf_record<Elf64_Shdr>(file, header.e_shoff + i * sizeof(Elf64_Shdr));
    if (!section) return malformed("its section headers run past its end");
    if (section->sh_type == SHT_DYNSYM) return *section;
  }
  return malformed("it has no section of dynamic symbols");
}

Outcome read_symbols(std::string_view file, const Elf64_Ehdr& header, const Strings& strings, ElfImage& image) {
  PGA_TRY(const Elf64_Shdr section, find_symbol_table(file, header));
  if (section.sh_offset > file.size()) return malformed("its dynamic symbols lie past its end");
  const std::uint64_t count = section.sh_size / sizeof(Elf64_Sym);
  if (count > kSymbolsMax) return malformed("it has " + std::to_string(count) + " dynamic symbols");
  for (std::uint64_t i = 1; i < count; ++i) {  // the first is always empty
    const auto symbol = elf_record<Elf64_Sym>(file, section.sh_offset + i * sizeof(Elf64_Sym));
    if (!symbol) return malformed("its dynamic symbols run past its end");
    PGA_TRY(std::string name, strings.at(symbol->st_name));
    image.symbols.push_back({std::move(name), static_cast<unsigned char>(ELF64_ST_BIND(symbol->st_info)),
                             static_cast<unsigned char>(ELF64_ST_TYPE(symbol->st_info)),
                             static_cast<unsigned char>(ELF64_ST_VISIBILITY(symbol->st_other)), symbol->st_shndx != SHN_UNDEF});
  }
  return {};
}

}  // namespace

bool ElfImage::has(Elf64_Sxword tag) const {
  return std::any_of(dynamic.begin(), dynamic.end(), [tag](const Elf64_Dyn& entry) { return entry.d_tag == tag; });
}

Elf64_Xword ElfImage::value(Elf64_Sxword tag) const {
  const auto found = std::find_if(dynamic.begin(), dynamic.end(), [tag](const Elf64_Dyn& entry) { return entry.d_tag == tag; });
  return found == dynamic.end() ? 0 : found->d_un.d_val;
}

const Elf64_Phdr* ElfImage::segment(Elf64_Word type) const {
  const auto found =
      std::find_if(segments.begin(), segments.end(), [type](const Elf64_Phdr& segment) { return segment.p_type == type; });
  return found == segments.end() ? nullptr : &*found;
}

Expected<ElfImage> read_elf_image(std::string_view file) {
  PGA_TRY(const Elf64_Ehdr header, host::read_elf_header(file));
  ElfImage image;
  for (std::uint64_t i = 0; i < header.e_phnum; ++i) {
    PGA_TRY(const Elf64_Phdr segment, host::read_elf_segment(file, header, i));
    image.segments.push_back(segment);
  }
  PGA_CHECK(read_dynamic(file, image));
  const Strings strings(file, image);
  PGA_CHECK(read_names(strings, image));
  PGA_CHECK(read_symbols(file, header, strings, image));
  return image;
}

}  // namespace pganalytics::validator
