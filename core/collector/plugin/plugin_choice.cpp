#include "core/collector/plugin/plugin_choice.h"

#include "core/config/plugin_names.h"
#include "core/instance/instance_name.h"
#include "core/schema/units.h"

#include <algorithm>

namespace pganalytics::collector {
namespace {

bool ends_with(const std::string& word, const std::string& end) {
  return word.size() >= end.size() && word.compare(word.size() - end.size(), end.size(), end) == 0;
}

}  // namespace

bool names_file(const std::string& word) { return word.find('/') != std::string::npos || ends_with(word, ".so"); }

Catalogue catalogue_for(const std::string& word, const std::vector<std::string>& plugin_dirs, const std::string& worker_path) {
  if (names_file(word)) return Catalogue::of(std::vector<host::Candidate>{host::examine_plugin(word)}, worker_path);
  std::vector<host::Candidate> all = host::find_plugins(plugin_dirs), meant;
  const std::string canonical = config::canonical_plugin_name(word);
  const std::string_view id = instance::plugin_of(canonical);
  std::copy_if(all.begin(), all.end(), std::back_inserter(meant), [&](const auto& candidate) { return candidate.id == id; });
  return Catalogue::of(meant.empty() ? std::move(all) : std::move(meant), worker_path);
}

Expected<host::PluginInfo> chosen_plugin(const Catalogue& catalogue, const std::string& word) {
  const Catalogue::Entry* const entry = names_file(word) ? &catalogue.entries().front() : catalogue.find(word);
  if (entry == nullptr) {
    const std::string near = schema::nearest(word, catalogue.ids());
    return Error{PGA_E_NOTFOUND, "plugin.unknown", "no plugin '" + word + "' is installed",
                 near.empty() ? "See `pganalytics plugin list`." : "Did you mean '" + near + "'?", 0};
  }
  if (!entry->refused) return *entry->info;
  Error refused = *entry->refused;
  if (refused.hint.empty())
    refused.hint = "`pganalytics plugin list` shows what is installed, `plugin validate FILE.so` what is wrong with a file.";
  return refused;
}

}  // namespace pganalytics::collector
