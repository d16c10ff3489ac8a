#define BOOST_DLL_USE_STD_FS
#include "core/host/worker/library.h"

#include <dlfcn.h>

#include <boost/dll/shared_library.hpp>
#include <cstring>
#include <memory>
#include <system_error>

namespace pganalytics::worker {
namespace {

constexpr std::uint32_t kKnownNeeds = PGA_NEED_PG | PGA_NEED_NET | PGA_NEED_READ_FS | PGA_NEED_PROC | PGA_NEED_EXEC;

Error unusable(const char* code, const std::string& message) { return Error{PGA_E_UNSUPPORTED, code, message, "", 0}; }

// Threads of a plugin, exit handlers and thread-local destructors may run its code until the process ends: there is no safe
// moment for dlclose(), which the destructor of shared_library would call. So libraries are kept for ever, and pinned, in case
// the plugin drops a reference of its own.
boost::dll::shared_library& keep(boost::dll::shared_library library) {
  static auto* kept = new boost::dll::shared_library();
  *kept = std::move(library);
  dlopen(kept->location().c_str(), RTLD_NOW | RTLD_LOCAL | RTLD_NOLOAD | RTLD_NODELETE);
  return *kept;
}

bool is_text(const char* text, std::size_t length_max) { return text != nullptr && strnlen(text, length_max + 1) <= length_max; }

Outcome check_descriptor(const pga_descriptor* descriptor, const std::string& id) {
  if (descriptor == nullptr || !PGA_HAS(pga_descriptor, descriptor, default_timeout_ms)) {
    return unusable("plugin.table", "its descriptor is missing or too short");
  }
  constexpr std::size_t kTextMax = 1024, kSchemaMax = 1u << 20;
  for (const char* text : {descriptor->id, descriptor->aliases, descriptor->version, descriptor->vendor, descriptor->description,
                           descriptor->license, descriptor->url}) {
    if (!is_text(text, kTextMax)) return unusable("plugin.table", "a text of its descriptor is missing or too long");
  }
  if (!is_text(descriptor->config_schema, kSchemaMax) || !is_text(descriptor->output_schema, kSchemaMax)) {
    return unusable("plugin.table", "a schema of its descriptor is missing or too long");
  }
  if (descriptor->id != id) {
    return unusable("plugin.table", "its descriptor says \"" + std::string(descriptor->id) + "\", its note \"" + id + "\"");
  }
  if (descriptor->min_host_minor > PGA_ABI_MINOR) {
    return unusable("plugin.abi_minor", "it wants plugin ABI 1." + std::to_string(descriptor->min_host_minor) +
                                            ", this host has 1." + std::to_string(PGA_ABI_MINOR));
  }
  if ((descriptor->needs & ~kKnownNeeds) != 0) {
    return unusable("plugin.needs",
                    "it declares a need that this host does not know (" + std::to_string(descriptor->needs) + ")");
  }
  return {};
}

Outcome check_table(const pga_plugin* plugin, const std::string& id) {
  if (plugin == nullptr) return unusable("plugin.refused", "it refuses this host");
  if (!PGA_HAS(pga_plugin, plugin, destroy)) return unusable("plugin.table", "its table is too short");
  if (plugin->create == nullptr || plugin->configure == nullptr || plugin->collect == nullptr || plugin->destroy == nullptr) {
    return unusable("plugin.table", "a function is missing from its table");
  }
  return check_descriptor(plugin->descriptor, id);
}

}  // namespace

Expected<const pga_plugin*> load_plugin(const std::string& path, const std::string& id) {
  if (path.empty() || path.front() != '/') return unusable("plugin.load", "its path is not absolute");
  std::error_code failed;
  boost::dll::shared_library library;
  // No decorations ("foo" never becomes libfoo.so) and no search in system folders: this file or none.
  library.load(path, boost::dll::load_mode::rtld_now | boost::dll::load_mode::rtld_local, failed);
  if (failed) {
    const char* why = dlerror();
    return unusable("plugin.load", "it cannot be loaded: " + (why != nullptr ? std::string(why) : failed.message()));
  }
  boost::dll::shared_library& kept = keep(std::move(library));
  if (!kept.has(PGA_ENTRY_SYMBOL)) return unusable("plugin.entry", "it does not export " PGA_ENTRY_SYMBOL);
  const auto& entry = kept.get<const pga_plugin*(std::uint32_t)>(PGA_ENTRY_SYMBOL);
  const pga_plugin* plugin = entry(PGA_ABI_MINOR);
  PGA_CHECK(check_table(plugin, id));
  return plugin;
}

}  // namespace pganalytics::worker
