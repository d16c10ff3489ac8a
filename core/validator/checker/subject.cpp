#include "core/validator/checker/subject.h"

#include <dlfcn.h>
#include <unistd.h>

#include <cstring>

#include "core/files/files.h"

namespace pganalytics::validator {
namespace {

constexpr std::size_t kPluginBytesMax = 256u << 20;

template <class T>
T value_or_end(Expected<T> expected) {
  if (!expected) throw CannotCheck{Finding::skip(expected.error().message)};
  return std::move(expected).value();
}

}  // namespace

void now_at(const char* what) {
  char line[128] = "at ";
  strncat(line, what, sizeof line - 8);
  strcat(line, "\n");
  // The validator reads as long as we live; without it nobody wants to know.
  [[maybe_unused]] const ssize_t written = write(kAnswerDescriptor, line, strlen(line));
}

const std::string& Subject::bytes() {
  if (!bytes_) bytes_ = value_or_end(files::read(request_.file, kPluginBytesMax));
  return *bytes_;
}

const ElfImage& Subject::image() {
  if (!image_) image_ = value_or_end(read_elf_image(bytes()));
  return *image_;
}

const host::ElfFacts& Subject::facts() {
  if (!facts_) facts_ = value_or_end(host::read_elf_facts(bytes()));
  return *facts_;
}

void* Subject::library() {
  if (library_ != nullptr) return library_;
  now_at("loading it");
  library_ = dlopen(request_.file.c_str(), RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
  if (library_ == nullptr) throw CannotCheck{Finding::skip(std::string("it cannot be loaded: ") + dlerror())};
  return library_;
}

Subject::Entry Subject::entry() {
  void* const symbol = dlsym(library(), PGA_ENTRY_SYMBOL);
  if (symbol == nullptr) throw CannotCheck{Finding::skip("it does not export " PGA_ENTRY_SYMBOL)};
  return reinterpret_cast<Entry>(symbol);
}

const pga_plugin* Subject::plugin() {
  if (plugin_ != nullptr) return plugin_;
  const Entry call = entry();
  now_at("its entry function");
  plugin_ = call(PGA_ABI_MINOR);
  if (plugin_ == nullptr) throw CannotCheck{Finding::skip("it refuses this host")};
  return plugin_;
}

}  // namespace pganalytics::validator
