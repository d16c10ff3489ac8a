#include "core/validator/elf_image.h"

#include "core/files/files.h"
#include "tests/support/catch.h"

#include <algorithm>
#include <cstddef>
#include <cstring>

using pganalytics::validator::ElfImage;
using pganalytics::validator::read_elf_image;

namespace {

std::string good_plugin() {
  auto bytes = pganalytics::files::read(std::string(BAD_PLUGIN_DIR) + "/none_good.so", 64u << 20);
  REQUIRE(bytes);
  return std::move(bytes).value();
}

}  // namespace

TEST_CASE("a shared object is read as the linker wrote it") {
  const auto image = read_elf_image(good_plugin());
  REQUIRE(image);
  CHECK(image.value().segment(PT_GNU_RELRO) != nullptr);
  CHECK(image.value().has(DT_STRTAB));
  CHECK(std::count(image.value().needed.begin(), image.value().needed.end(), "libc.so.6") == 1);
  CHECK(image.value().soname.empty());
  const auto& symbols = image.value().symbols;
  const auto entry = std::find_if(symbols.begin(), symbols.end(), [](const auto& s) { return s.name == "pga_plugin_v1"; });
  REQUIRE(entry != symbols.end());
  CHECK(entry->defined);
  CHECK(entry->type == STT_FUNC);
  CHECK(entry->binding == STB_GLOBAL);
}

TEST_CASE("a file cut off before its section headers is refused, not read past its end") {
  const std::string whole = good_plugin();
  Elf64_Ehdr header{};
  std::memcpy(&header, whole.data(), sizeof header);
  for (std::size_t length = 0; length < header.e_shoff; length += 97) {
    const std::string cut = whole.substr(0, length);  // its own memory: a sanitizer watches its end
    INFO(length);
    CHECK_FALSE(read_elf_image(cut));
  }
}

TEST_CASE("a number anywhere in its headers may be anything") {
  const std::string whole = good_plugin();
  for (const int byte : {0x00, 0x7F, 0xFF}) {
    for (std::size_t at = 0; at < std::min<std::size_t>(whole.size(), 1024); ++at) {
      std::string changed = whole;
      changed[at] = static_cast<char>(byte);
      static_cast<void>(read_elf_image(changed));  // whatever it says, it returns
    }
  }
}

TEST_CASE("names outside of the string table are refused") {
  std::string bytes = good_plugin();
  const auto image = read_elf_image(bytes);
  REQUIRE(image);
  const auto* const dynamic = image.value().segment(PT_DYNAMIC);
  REQUIRE(dynamic != nullptr);
  for (std::size_t i = 0; i < image.value().dynamic.size(); ++i) {
    if (image.value().dynamic[i].d_tag != DT_NEEDED) continue;
    const std::uint64_t far = 1ull << 40;
    std::memcpy(bytes.data() + dynamic->p_offset + i * sizeof(Elf64_Dyn) + offsetof(Elf64_Dyn, d_un), &far, sizeof far);
  }
  CHECK_FALSE(read_elf_image(bytes));
}
