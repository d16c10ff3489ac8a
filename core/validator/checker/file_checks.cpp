#include "core/validator/checker/file_checks.h"

#include <algorithm>
#include <filesystem>
#include <sstream>

#include "core/host/elf_bytes.h"
#include "core/host/plugin_info.h"

namespace pganalytics::validator {
namespace {

constexpr std::size_t kNamesShown = 5;

// "a, b, c and 40 more".
std::string list_of(const std::vector<std::string>& names) {
  std::string list;
  for (std::size_t i = 0; i < std::min(names.size(), kNamesShown); ++i) list += (i == 0 ? "" : ", ") + names[i];
  return names.size() <= kNamesShown ? list : list + " and " + std::to_string(names.size() - kNamesShown) + " more";
}

// What its linker or a sanitizer puts into every shared object.
bool is_of_the_toolchain(const std::string& name) {
  static constexpr std::string_view kNames[] = {"_init", "_fini", "_edata", "_end", "__bss_start"};
  return std::find(std::begin(kNames), std::end(kNames), name) != std::end(kNames) || name.rfind("__asan_", 0) == 0 ||
         name.rfind("__odr_asan", 0) == 0;
}

const ElfSymbol* find_entry(const ElfImage& image) {
  for (const ElfSymbol& symbol : image.symbols) {
    if (symbol.defined && symbol.name == PGA_ENTRY_SYMBOL) return &symbol;
  }
  return nullptr;
}

template <class Wanted>
std::vector<std::string> names_where(const ElfImage& image, Wanted&& wanted) {
  std::vector<std::string> names;
  for (const ElfSymbol& symbol : image.symbols) {
    if (symbol.defined && wanted(symbol)) names.push_back(symbol.name);
  }
  return names;
}

}  // namespace

Finding check_elf_kind(Subject& subject) {
  if (auto header = host::read_elf_header(subject.bytes()); !header) return Finding::fail(header.error().message);
  if (auto image = read_elf_image(subject.bytes()); !image) return Finding::fail(image.error().message);
  return Finding::pass();
}

Finding check_note(Subject& subject) {
  const auto facts = host::read_elf_facts(subject.bytes());
  if (!facts) return Finding::fail(facts.error().message);
  const std::string abi = std::to_string(facts.value().abi_major) + "." + std::to_string(facts.value().abi_minor);
  if (facts.value().abi_major != PGA_ABI_MAJOR) return Finding::fail("its note says plugin ABI " + abi);
  return Finding::pass(facts.value().id + ", ABI " + abi);
}

Finding check_entry_symbol(Subject& subject) {
  const ElfSymbol* const entry = find_entry(subject.image());
  if (entry == nullptr) return Finding::fail("it does not export " PGA_ENTRY_SYMBOL);
  if (entry->type != STT_FUNC) return Finding::fail(PGA_ENTRY_SYMBOL " is not a function");
  if (entry->binding != STB_GLOBAL) return Finding::fail(PGA_ENTRY_SYMBOL " is weak");
  if (entry->visibility != STV_DEFAULT) return Finding::fail(PGA_ENTRY_SYMBOL " has no default visibility");
  return Finding::pass();
}

Finding check_exports(Subject& subject) {
  const auto others = names_where(subject.image(), [](const ElfSymbol& symbol) {
    return symbol.name != PGA_ENTRY_SYMBOL && symbol.binding != STB_LOCAL && symbol.binding != STB_GNU_UNIQUE &&
           !is_of_the_toolchain(symbol.name);
  });
  if (others.empty()) return Finding::pass();
  return Finding::fail("it also exports " + list_of(others));
}

Finding check_unique_symbols(Subject& subject) {
  const auto unique = names_where(subject.image(), [](const ElfSymbol& symbol) { return symbol.binding == STB_GNU_UNIQUE; });
  if (unique.empty()) return Finding::pass();
  return Finding::fail("unique symbols: " + list_of(unique));
}

Finding check_code_and_stack(Subject& subject) {
  const ElfImage& image = subject.image();
  if (image.has(DT_TEXTREL) || (image.value(DT_FLAGS) & DF_TEXTREL) != 0) {
    return Finding::fail("its code is changed while it is loaded (DT_TEXTREL)");
  }
  const Elf64_Phdr* const stack = image.segment(PT_GNU_STACK);
  if (stack == nullptr) return Finding::fail("it does not say that it needs no executable stack (no PT_GNU_STACK)");
  if ((stack->p_flags & PF_X) != 0) return Finding::fail("it wants an executable stack");
  return Finding::pass();
}

Finding check_binding(Subject& subject) {
  const ElfImage& image = subject.image();
  if (image.segment(PT_GNU_RELRO) == nullptr) return Finding::fail("its tables of pointers stay writable (no PT_GNU_RELRO)");
  const bool now =
      image.has(DT_BIND_NOW) || (image.value(DT_FLAGS) & DF_BIND_NOW) != 0 || (image.value(DT_FLAGS_1) & DF_1_NOW) != 0;
  if (!now) return Finding::fail("it is bound lazily (no DF_BIND_NOW)");
  return Finding::pass();
}

Finding check_run_paths(Subject& subject) {
  const ElfImage& image = subject.image();
  if (!image.rpath.empty()) return Finding::fail("RPATH is " + image.rpath);
  std::istringstream folders(image.runpath);
  for (std::string folder; std::getline(folders, folder, ':');) {
    const bool below_origin = folder == "$ORIGIN" || folder.rfind("$ORIGIN/", 0) == 0 || folder.rfind("${ORIGIN}", 0) == 0;
    if (!below_origin) return Finding::fail("RUNPATH has '" + folder + "'");
  }
  return Finding::pass();
}

Finding check_names_of_libraries(Subject& subject) {
  const ElfImage& image = subject.image();
  const std::string own = std::filesystem::path(subject.request().file).filename().string();
  if (!image.soname.empty() && image.soname != own) {
    return Finding::fail("its SONAME is " + image.soname + ", its file " + own);
  }
  for (const std::string& library : image.needed) {
    if (library.find("pganalytics") != std::string::npos) return Finding::fail("it is linked to " + library);
  }
  return Finding::pass();
}

Finding check_build_id(Subject& subject) {
  const std::string& id = subject.facts().build_id;
  return id.empty() ? Finding::fail("it has no build id") : Finding::pass(id);
}

Finding check_file_trust(Subject& subject) {
  if (const Outcome trusted = host::check_trust(subject.request().file); !trusted) return Finding::fail(trusted.error().message);
  return Finding::pass();
}

}  // namespace pganalytics::validator
