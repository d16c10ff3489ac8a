#include "core/host/elf_note.h"

#include <elf.h>

#include <cstring>
#include <fstream>
#include <iterator>

#include "tests/support/catch.h"

using namespace pganalytics::host;

namespace {

std::string plugin_bytes(const std::string& id) {
  std::ifstream file(std::string(TEST_PLUGIN_DIR) + "/" + id + ".so", std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

std::string code_of(const std::string& bytes) {
  const auto facts = read_elf_facts(bytes);
  return facts ? "none" : facts.error().code;
}

template <class T>
std::string with(std::string bytes, std::size_t offset, T value) {
  std::memcpy(bytes.data() + offset, &value, sizeof value);
  return bytes;
}

}  // namespace

TEST_CASE("a plugin's note is read without running it") {
  const auto facts = read_elf_facts(plugin_bytes("test_counter"));
  REQUIRE(facts);
  CHECK(facts->id == "test_counter");
  CHECK(facts->abi_major == PGA_ABI_MAJOR);
  CHECK(facts->abi_minor == PGA_ABI_MINOR);
  const auto foreign = read_elf_facts(plugin_bytes("test_foreign"));
  REQUIRE(foreign);
  CHECK(foreign->abi_major == PGA_ABI_MAJOR + 1);
}

TEST_CASE("what is no plugin says why") {
  const std::string good = plugin_bytes("test_counter");
  CHECK(code_of("") == "plugin.not_elf");
  CHECK(code_of("#!/bin/sh\n") == "plugin.not_elf");
  CHECK(code_of(good.substr(0, 40)) == "plugin.not_elf");
  CHECK(code_of(plugin_bytes("test_noteless")) == "plugin.no_note");
  CHECK(code_of(plugin_bytes("test_two_notes")) == "plugin.bad_note");
  CHECK(code_of(with<unsigned char>(good, EI_CLASS, ELFCLASS32)) == "plugin.machine");
  CHECK(code_of(with<unsigned char>(good, EI_DATA, ELFDATA2MSB)) == "plugin.machine");
  CHECK(code_of(with<Elf64_Half>(good, offsetof(Elf64_Ehdr, e_machine), EM_S390)) == "plugin.machine");
  CHECK(code_of(with<Elf64_Half>(good, offsetof(Elf64_Ehdr, e_type), ET_EXEC)) == "plugin.not_elf");
  CHECK(code_of(with<Elf64_Off>(good, offsetof(Elf64_Ehdr, e_phoff), good.size() - 8)) == "plugin.not_elf");
  CHECK(code_of(with<Elf64_Off>(good, offsetof(Elf64_Ehdr, e_phoff), ~0ULL)) != "none");
}

TEST_CASE("an id in a note obeys the id's grammar") {
  std::string bytes = plugin_bytes("test_counter");
  const std::size_t name = bytes.find(std::string("pga\0", 4));
  REQUIRE(name != std::string::npos);
  CHECK(code_of(with<char>(bytes, name + 12, 'T')) == "plugin.bad_note");
  CHECK(code_of(with<char>(bytes, name + 12, '\0')) == "plugin.bad_note");
  CHECK(code_of(with<char>(bytes, name + 13, '/')) == "plugin.bad_note");
  CHECK(is_plugin_id("pg_stats"));
  CHECK(is_plugin_id("a1"));
  for (const char* id : {"", "a", "1a", "_a", "pg-stats", "../etc", "PgStats", "a23456789012345678901234567890123"}) {
    CHECK_FALSE(is_plugin_id(id));
  }
}

TEST_CASE("a file cut anywhere, or with any byte of its head changed, is judged without harm") {
  const std::string good = plugin_bytes("test_counter");
  for (std::size_t length = 0; length < good.size(); length += 61) (void)read_elf_facts(std::string_view(good).substr(0, length));
  for (std::size_t at = 0; at < 1024 && at < good.size(); ++at) {
    for (const char value : {'\0', '\x01', '\x7F', '\xFF'}) (void)read_elf_facts(with<char>(good, at, value));
  }
  SUCCEED();  // under the sanitizers, that is
}
