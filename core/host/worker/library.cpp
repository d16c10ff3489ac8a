#define BOOST_DLL_USE_STD_FS
#include "core/host/worker/library.h"

#include <dlfcn.h>

#include <boost/dll/shared_library.hpp>
#include <deque>
#include <memory>
#include <mutex>
#include <pganalytics/hosting.hpp>
#include <system_error>

namespace pganalytics::worker {
namespace {

Error unusable(const char* code, const std::string& message,
               const char* hint = "Ask the plugin's vendor for a build that loads.") {
  return Error{PGA_E_UNSUPPORTED, code, message, hint, 0};
}

// Threads of a plugin, exit handlers and thread-local destructors may run its code until the process ends: there is no safe
// moment for dlclose(), which the destructor of shared_library would call. So libraries are kept for ever, and pinned, in case
// the plugin drops a reference of its own.
boost::dll::shared_library& keep(boost::dll::shared_library library) {
  static std::mutex guard;  // of a host with several threads of plugins
  static auto* const all = new std::deque<boost::dll::shared_library>();
  const std::lock_guard<std::mutex> lock(guard);
  boost::dll::shared_library& kept = all->emplace_back(std::move(library));
  dlopen(kept.location().c_str(), RTLD_NOW | RTLD_LOCAL | RTLD_NOLOAD | RTLD_NODELETE);
  return kept;
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
    return unusable("plugin.load", "it cannot be loaded: " + (why != nullptr ? std::string(why) : failed.message()),
                    "Install the libraries that it needs; `ldd` with its path names them.");
  }
  boost::dll::shared_library& kept = keep(std::move(library));
  if (!kept.has(PGA_ENTRY_SYMBOL)) return unusable("plugin.entry", "it does not export " PGA_ENTRY_SYMBOL);
  const auto& entry = kept.get<const pga_plugin*(std::uint32_t)>(PGA_ENTRY_SYMBOL);
  const pga_plugin* plugin = entry(PGA_ABI_MINOR);
  PGA_CHECK(hosting::check_plugin(plugin, PGA_ABI_MINOR));
  if (plugin->descriptor->id != id) {
    return unusable("plugin.table",
                    "its descriptor says \"" + std::string(plugin->descriptor->id) + "\", its note \"" + id + "\"");
  }
  return plugin;
}

}  // namespace pganalytics::worker
