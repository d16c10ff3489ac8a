#include "core/server/query/groups.h"

#include <algorithm>
#include <array>
#include <utility>

namespace pganalytics::server::query {
namespace {

constexpr std::array<std::pair<std::string_view, Gather>, 4> kNames = {
    {{"sum", Gather::kSum}, {"avg", Gather::kAvg}, {"min", Gather::kMin}, {"max", Gather::kMax}}};

double combined(Gather gather, double one, double other) {
  switch (gather) {
    case Gather::kMin: return std::min(one, other);
    case Gather::kMax: return std::max(one, other);
    default: return one + other;
  }
}

}  // namespace

std::optional<Gather> parse_gather(std::string_view text) {
  for (const auto& [name, gather] : kNames) {
    if (name == text) return gather;
  }
  return std::nullopt;
}

std::string_view to_text(Gather gather) {
  for (const auto& [name, known] : kNames) {
    if (known == gather) return name;
  }
  return {};
}

void Groups::add(const Key& key, const Values& values) {
  Group& group = groups_[key];
  group.values.resize(steps_);
  group.counts.resize(steps_);
  ++group.members;
  for (std::size_t step = 0; step < std::min(steps_, values.size()); ++step) {
    if (!values[step]) continue;
    auto& value = group.values[step];
    value = value ? combined(gather_, *value, *values[step]) : *values[step];
    ++group.counts[step];
  }
}

std::map<Groups::Key, Groups::Group> Groups::all() && {
  if (gather_ == Gather::kAvg) {
    for (auto& [key, group] : groups_) {
      for (std::size_t step = 0; step < steps_; ++step) {
        if (group.values[step]) *group.values[step] /= static_cast<double>(group.counts[step]);
      }
    }
  }
  return std::move(groups_);
}

}  // namespace pganalytics::server::query
