// The plugin with a Disk of the test's making in place of its own: one that asks another statvfs than the kernel's.
#pragma once

#include "plugins/disk/disk.h"

namespace pganalytics::testing {

// Lives as long as the program.
template <class ScriptedDisk>
const pga_plugin* scripted_plugin() {
  using Calls = plugin_detail::Calls<ScriptedDisk>;
  static pga_plugin plugin = *pga_plugin_v1(PGA_ABI_MINOR);
  plugin.create = &Calls::create;
  plugin.configure = &Calls::configure;
  plugin.collect = &Calls::collect;
  plugin.cancel = &Calls::cancel;
  plugin.destroy = &Calls::destroy;
  return &plugin;
}

}  // namespace pganalytics::testing
