#include "plugins/logs/classes/class_filter.h"

#include "plugins/logs/classes/class_number.h"

#include <utility>

namespace pganalytics::logs {
namespace {

// Which classes one of the globs fits; adds to `unknown` those that fit none and may.
Expected<std::vector<bool>> fitted(const char* key, const std::vector<std::string>& globs, std::vector<std::string>& unknown) {
  std::vector<bool> all(class_count());
  for (const std::string& text : globs) {
    const bool may_fit_nothing = !text.empty() && text.front() == kMayFitNothing;
    const std::string glob = may_fit_nothing ? text.substr(1) : text;
    bool any = false;
    for (std::size_t number = 0; number < all.size(); ++number) {
      if (!fits_glob(glob, class_name(number))) continue;
      all[number] = any = true;
    }
    if (!any && may_fit_nothing) {
      unknown.push_back(glob);
    } else if (!any) {
      return Error{PGA_E_CONFIG, "config.value", "'" + std::string(key) + "' has '" + glob + "', which is no class of events",
                   "Write classes as docs/LOG_EVENTS.md has them, with '*' for any characters: 'lock.*'.", 0};
    }
  }
  return all;
}

}  // namespace

bool fits_glob(std::string_view glob, std::string_view name) {
  std::size_t at = 0;
  std::size_t star = std::string_view::npos;  // the last one that was met
  std::size_t begin = 0;                      // of what follows that, in `name`
  for (std::size_t i = 0; i < name.size();) {
    if (at < glob.size() && glob[at] == '*') {
      star = at++;
      begin = i;
    } else if (at < glob.size() && glob[at] == name[i]) {
      ++at;
      ++i;
    } else if (star != std::string_view::npos) {  // the star takes one character more
      at = star + 1;
      i = ++begin;
    } else {
      return false;
    }
  }
  while (at < glob.size() && glob[at] == '*') ++at;
  return at == glob.size();
}

Expected<ClassFilter> ClassFilter::compile(const std::vector<std::string>& wanted, const std::vector<std::string>& excluded) {
  ClassFilter filter;
  PGA_TRY(auto all, fitted("classes", wanted, filter.unknown_));
  PGA_TRY(const auto not_these, fitted("exclude_classes", excluded, filter.unknown_));
  for (std::size_t number = 0; number < all.size(); ++number) all[number] = all[number] && !not_these[number];
  filter.wanted_ = std::move(all);
  return filter;
}

}  // namespace pganalytics::logs
