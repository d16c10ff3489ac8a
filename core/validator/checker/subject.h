// The plugin under check: its file, and once it is asked for, its code in this process.
//
// One per process, on its main thread. What cannot be had ends the check: the row's `after` says which other check tells why.
#pragma once

#include <pganalytics/plugin.h>

#include <optional>
#include <string>

#include "core/host/elf_note.h"
#include "core/validator/elf_image.h"
#include "core/validator/request.h"

namespace pganalytics::validator {

// Thrown by what follows, caught in main(): the check ends with this finding.
struct CannotCheck {
  Finding finding;
};

// What this process is about to do, for the case that it dies of it. [any thread]
void now_at(const char* what);

class Subject {
 public:
  explicit Subject(Request request) : request_(std::move(request)) {}

  [[nodiscard]] const Request& request() const { return request_; }
  const std::string& bytes();
  const ElfImage& image();
  const host::ElfFacts& facts();

  // dlopen() as the worker does it, and the entry.
  using Entry = const pga_plugin* (*)(std::uint32_t host_minor);
  void* library();
  Entry entry();
  const pga_plugin* plugin();

 private:
  Request request_;
  std::optional<std::string> bytes_;
  std::optional<ElfImage> image_;
  std::optional<host::ElfFacts> facts_;
  void* library_ = nullptr;
  const pga_plugin* plugin_ = nullptr;
};

}  // namespace pganalytics::validator
