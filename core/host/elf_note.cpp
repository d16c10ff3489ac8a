#include "core/host/elf_note.h"

#include "core/crypto/digest.h"
#include "core/host/elf_bytes.h"

#include <cstring>
#include <optional>

namespace pganalytics::host {
namespace {

#if defined(__x86_64__)
constexpr Elf64_Half kMachine = EM_X86_64;
#elif defined(__aarch64__)
constexpr Elf64_Half kMachine = EM_AARCH64;
#elif defined(__riscv)
constexpr Elf64_Half kMachine = EM_RISCV;
#elif defined(__powerpc64__)
constexpr Elf64_Half kMachine = EM_PPC64;
#else
#error "the plugin ABI is promised for 64-bit little-endian Linux; name this machine here"
#endif

constexpr const char* kInstallAgain = "Install the plugin again: this file is damaged, or is no plugin.";
constexpr const char* kOtherBuild = "Install the plugin's build for this machine.";
constexpr const char* kWriteNote = "Its author writes PGA_NOTE(\"its_id\") once, at file scope; see docs/PLUGIN_GUIDE.md.";

Error refused(const char* code, const std::string& why, const char* hint = kInstallAgain) {
  return Error{PGA_E_UNSUPPORTED, code, why, hint, 0};
}

// Both notes that are looked for are far smaller.
constexpr std::size_t kNoteBytesMax = 1024;

struct Notes {
  int ours = 0;
  std::optional<pga_note> plugin;
  std::string build_id;
};

Outcome take_note(std::string_view name, std::string_view description, std::uint32_t type, Notes& notes) {
  if (name == std::string_view(ELF_NOTE_GNU, 4) && type == NT_GNU_BUILD_ID) notes.build_id = crypto::hex(description);
  if (name != std::string_view(PGA_NOTE_NAME, 4) || type != PGA_NOTE_TYPE) return {};
  pga_note note{};
  constexpr std::size_t kDescriptionBytes = sizeof note - offsetof(pga_note, abi_major);
  if (description.size() != kDescriptionBytes) {
    return refused("plugin.bad_note", "its plugin note has " + std::to_string(description.size()) + " bytes", kWriteNote);
  }
  std::memcpy(&note.abi_major, description.data(), kDescriptionBytes);
  notes.plugin = note;
  ++notes.ours;
  return {};
}

// The notes of one segment: header, name and description, each padded.
Outcome take_segment(std::string_view segment, std::uint64_t align, Notes& notes) {
  const std::uint64_t padding = align == 8 ? 8 : 4;
  const auto padded = [padding](std::uint64_t size) { return (size + padding - 1) / padding * padding; };
  std::uint64_t offset = 0;
  while (const auto header = elf_record<Elf64_Nhdr>(segment, offset)) {
    // 32-bit sizes in 64-bit sums: nothing overflows.
    const std::uint64_t name_at = offset + sizeof *header;
    const std::uint64_t description_at = padded(name_at + header->n_namesz);
    const std::uint64_t end = description_at + header->n_descsz;
    if (end > segment.size()) return refused("plugin.bad_note", "a note runs past its segment");
    if (header->n_namesz == 4 && header->n_descsz <= kNoteBytesMax) {
      PGA_CHECK(take_note(segment.substr(name_at, 4), segment.substr(description_at, header->n_descsz), header->n_type, notes));
    }
    offset = padded(end);
  }
  return {};
}

}  // namespace

Expected<Elf64_Ehdr> read_elf_header(std::string_view file) {
  const auto header = elf_record<Elf64_Ehdr>(file, 0);
  if (!header || std::memcmp(header->e_ident, ELFMAG, SELFMAG) != 0) return refused("plugin.not_elf", "it is not an ELF file");
  if (header->e_ident[EI_CLASS] != ELFCLASS64 || header->e_ident[EI_DATA] != ELFDATA2LSB) {
    return refused("plugin.machine", "it is not a 64-bit little-endian object", kOtherBuild);
  }
  if (header->e_type != ET_DYN) return refused("plugin.not_elf", "it is not a shared object");
  if (header->e_machine != kMachine) {
    return refused("plugin.machine", "it was built for another machine (ELF machine " + std::to_string(header->e_machine) + ")",
                   kOtherBuild);
  }
  if (header->e_phentsize != sizeof(Elf64_Phdr)) return refused("plugin.not_elf", "its program headers are malformed");
  // They come last: a file that was not copied to its end lacks them first. Its loader would not notice.
  const std::uint64_t sections_bytes = std::uint64_t{header->e_shnum} * header->e_shentsize;
  if (header->e_shoff > file.size() || sections_bytes > file.size() - header->e_shoff) {
    return refused("plugin.not_elf", "it is cut off: its section headers run past its end");
  }
  return *header;
}

Expected<Elf64_Phdr> read_elf_segment(std::string_view file, const Elf64_Ehdr& header, std::uint64_t index) {
  if (header.e_phoff > file.size()) return refused("plugin.not_elf", "its program headers lie past its end");
  const auto segment = elf_record<Elf64_Phdr>(file, header.e_phoff + index * sizeof(Elf64_Phdr));
  if (!segment) return refused("plugin.not_elf", "its program headers run past its end");
  // Pages that are not there would be a SIGBUS of the loader.
  if (segment->p_type != PT_LOAD && segment->p_type != PT_NOTE && segment->p_type != PT_DYNAMIC) return *segment;
  if (segment->p_offset > file.size() || segment->p_filesz > file.size() - segment->p_offset) {
    return refused("plugin.not_elf", "a segment runs past its end");
  }
  return *segment;
}

bool is_plugin_id(std::string_view id) {
  constexpr std::string_view kLetters = "abcdefghijklmnopqrstuvwxyz";
  constexpr std::string_view kAllowed = "abcdefghijklmnopqrstuvwxyz0123456789_";
  return id.size() >= 2 && id.size() <= 32 && kLetters.find(id.front()) != std::string_view::npos &&
         id.find_first_not_of(kAllowed) == std::string_view::npos;
}

Expected<ElfFacts> read_elf_facts(std::string_view file) {
  PGA_TRY(const Elf64_Ehdr header, read_elf_header(file));
  Notes notes;
  for (std::uint64_t i = 0; i < header.e_phnum; ++i) {
    PGA_TRY(const Elf64_Phdr segment, read_elf_segment(file, header, i));
    if (segment.p_type != PT_NOTE) continue;
    PGA_CHECK(take_segment(file.substr(segment.p_offset, segment.p_filesz), segment.p_align, notes));
  }
  if (!notes.plugin) return refused("plugin.no_note", "it has no plugin note (" PGA_NOTE_SECTION ")", kWriteNote);
  if (notes.ours > 1) return refused("plugin.bad_note", "it has more than one plugin note", kWriteNote);
  const std::string_view id(notes.plugin->id, strnlen(notes.plugin->id, sizeof notes.plugin->id));
  if (!is_plugin_id(id)) return refused("plugin.bad_note", "the id in its note is not [a-z][a-z0-9_]{1,31}", kWriteNote);
  return ElfFacts{notes.plugin->abi_major, notes.plugin->abi_minor, std::string(id), notes.build_id};
}

}  // namespace pganalytics::host
