// pganalytics plugin new DIR: a complete plugin project to begin from. What is in it: sdk/template.
#include "core/collector/command_line.h"
#include "core/collector/installation.h"
#include "core/collector/plugin/plugin_commands.h"
#include "core/collector/plugin/project_template.h"
#include "core/host/elf_note.h"
#include "core/host/plugin_info.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <pganalytics/json.hpp>

namespace pganalytics::collector {
namespace {

constexpr std::string_view kNobody = "example";

struct Choice {
  std::string folder, language, id, vendor;
};

// "Acme Inc." -> "acme_inc": what an id can say of a name.
std::string as_id(std::string_view name) {
  std::string id;
  for (const char letter : name) {
    const bool upper = letter >= 'A' && letter <= 'Z';
    const char small = upper ? static_cast<char>(letter - 'A' + 'a') : letter;
    const bool fits = (small >= 'a' && small <= 'z') || (small >= '0' && small <= '9');
    if (fits) {
      id += small;
    } else if (!id.empty() && id.back() != '_') {
      id += '_';
    }
  }
  while (!id.empty() && id.back() == '_') id.pop_back();
  return id;
}

std::string last_part(const std::string& folder) {
  const auto path = std::filesystem::path(folder).lexically_normal();
  return (path.filename().empty() ? path.parent_path() : path).filename().string();
}

// "acme-redis" has its vendor in front already; "redis" gets one.
std::string default_id(const std::string& folder, const std::string& vendor) {
  const std::string name = as_id(last_part(folder));
  if (vendor.empty() && name.find('_') != std::string::npos) return name;
  const std::string slug = as_id(vendor);
  const std::string prefix = (slug.empty() ? std::string(kNobody) : slug) + "_";
  return name.rfind(prefix, 0) == 0 ? name : prefix + name;
}

std::string default_vendor(const std::string& id) {
  const auto end = id.find('_');
  return end == std::string::npos ? std::string(kNobody) : id.substr(0, end);
}

// "collector" is the type of the collector's own documents; the others are targets that CMake keeps for itself.
bool is_reserved(const std::string& id) {
  constexpr std::string_view kReserved[] = {"collector", "all", "clean", "help", "install", "package", "test"};
  return std::find(std::begin(kReserved), std::end(kReserved), id) != std::end(kReserved);
}

Outcome check_id(const std::string& id) {
  if (!host::is_plugin_id(id)) {
    return Error{PGA_E_CONFIG, "plugin.id", "'" + id + "' is no plugin id: a small letter, then 1 to 31 of a-z, 0-9 and _",
                 "Choose one with --id VENDOR_NAME, as in acme_redis.", 0};
  }
  if (is_reserved(id))
    return Error{PGA_E_CONFIG, "plugin.id", "the plugin id '" + id + "' is reserved",
                 "Put your vendor's name in front: acme_" + id + ".", 0};
  return {};
}

// It becomes a C string, a line of debian/copyright and more.
Outcome check_vendor(const std::string& vendor) {
  const bool odd = std::any_of(vendor.begin(), vendor.end(), [](unsigned char letter) {
    return letter < 0x20 || letter == 0x7f || letter == '"' || letter == '\\' || letter == '<' || letter == '>';
  });
  if (!vendor.empty() && vendor.size() <= 64 && !odd && is_utf8(vendor)) return {};
  return Error{PGA_E_CONFIG, "plugin.vendor",
               "a vendor is a name of 1 to 64 bytes, without quotes, backslashes and angle brackets",
               "Name who answers for the plugin: --vendor \"Acme Inc.\".", 0};
}

std::string from_environment(std::initializer_list<const char*> names, const std::string& otherwise) {
  for (const char* const name : names) {
    const char* const value = std::getenv(name);
    if (value != nullptr && *value != '\0') return value;
  }
  return otherwise;
}

std::string now_as(const char* format) {
  const std::time_t now = std::time(nullptr);
  std::tm utc{};
  gmtime_r(&now, &utc);
  char text[64];
  return {text, std::strftime(text, sizeof text, format, &utc)};
}

TemplateWords words_of(const Choice& choice) {
  std::string package = "pganalytics-plugin-" + choice.id;
  std::replace(package.begin(), package.end(), '_', '-');
  const std::string maintainer = from_environment({"DEBFULLNAME", "NAME"}, choice.vendor) + " <" +
                                 from_environment({"DEBEMAIL", "EMAIL"}, "you@example.com") + ">";
  return {{"id", choice.id},
          {"vendor", choice.vendor},
          {"package", package},
          {"maintainer", maintainer},
          {"date", now_as("%a, %d %b %Y %H:%M:%S +0000")},
          {"year", now_as("%Y")}};
}

void note_namesake(const std::string& id) {
  for (const host::Candidate& candidate : host::find_plugins(default_plugin_dirs())) {
    if (candidate.id != id) continue;
    std::fprintf(stderr, "pganalytics: a plugin with the id '%s' is installed already: %s\n", id.c_str(), candidate.path.c_str());
    std::fputs("HINT: Only one of two with the same id is used; --id gives this one another.\n", stderr);
  }
}

void print_next_steps(const Choice& choice) {
  const std::string prefix = installation_prefix();
  // A build tree has no SDK to find, and CMake looks in the other two by itself.
  const bool to_name = prefix != "/usr" && prefix != "/usr/local" && std::filesystem::exists(prefix + "/include/pganalytics");
  std::printf("made %s: the plugin '%s' of %s\n\nnext:\n", choice.folder.c_str(), choice.id.c_str(), choice.vendor.c_str());
  std::printf("  cd %s\n  cmake -B build%s && cmake --build build\n", choice.folder.c_str(),
              to_name ? (" -DCMAKE_PREFIX_PATH=" + prefix).c_str() : "");
  std::puts("  ctest --test-dir build --output-on-failure");
  std::puts("README.md says the rest: how to try, install and package it.");
}

Outcome make(const Choice& choice) {
  PGA_CHECK(check_vendor(choice.vendor));
  PGA_CHECK(check_id(choice.id));
  PGA_TRY(const std::string templates, template_dir());
  PGA_CHECK(write_project(templates + "/" + choice.language, choice.folder, words_of(choice)));
  return {};
}

}  // namespace

int plugin_new_command(const Arguments& arguments) {
  namespace po = boost::program_options;
  CommandLine line(
      "plugin new DIR [options]",
      "Makes DIR: a plugin that builds, with schemas, a unit test, documentation and a Debian package, to make yours of.");
  line.add()("dir", po::value<std::string>()->value_name("DIR"), "the new folder; the word alone will do")              //
      ("lang", po::value<std::string>()->value_name("c|cpp")->default_value("c"), "C11, or C++17 with plugin.hpp")      //
      ("id", po::value<std::string>()->value_name("ID"), "the plugin's id (default: DIR's name, the vendor in front)")  //
      ("vendor", po::value<std::string>()->value_name("NAME"), "who answers for it (default: what the id begins with)");
  line.positional("dir", 1);
  if (const auto done = line.parse(arguments)) return *done;
  if (!line.has("dir") || line.text("dir").empty()) return line.usage_error("say where: new DIR");
  Choice choice{line.text("dir"), line.text("lang"), line.text("id"), line.text("vendor")};
  if (choice.language != "c" && choice.language != "cpp")
    return line.usage_error("there is no template in the language '" + choice.language + "': there are c and cpp");
  if (!line.has("id")) choice.id = default_id(choice.folder, choice.vendor);
  if (!line.has("vendor")) choice.vendor = default_vendor(choice.id);
  if (const Outcome made = make(choice); !made) {
    print_error(made.error());
    return made.error().status == PGA_E_CONFIG ? kUsage : kFailed;
  }
  note_namesake(choice.id);
  print_next_steps(choice);
  return kOk;
}

}  // namespace pganalytics::collector
