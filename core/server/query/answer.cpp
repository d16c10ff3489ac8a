#include "core/server/query/answer.h"

#include <algorithm>

#include "core/clock/clock.h"
#include "core/schema/units.h"

namespace pganalytics::server::query {
namespace {

constexpr std::size_t kPieceValues = 50'000;  // read from the store at a time
constexpr std::int64_t kPatienceNs = 20'000'000'000;

Error wrong(const std::string& message) { return Error{PGA_E_CONFIG, "query.parameter", message, {}, 0}; }
Error too_much(const char* code, const std::string& message) { return Error{PGA_E_LIMIT, code, message, {}, 0}; }

Expected<const store::FamilyMember*> member(const std::vector<store::FamilyMember>& members, const std::string& name,
                                            const std::string& parameter, const std::string& role, const std::string& family) {
  if (const store::FamilyMember* found = store::find_member(members, name)) return found;
  std::vector<std::string> names;
  for (const store::FamilyMember& each : members) names.push_back(each.name);
  const std::string near = schema::nearest(name, names);
  return wrong(parameter + ": " + family + " has no " + role + " \"" + name + "\"" +
               (near.empty() ? "" : "; did you mean \"" + near + "\"?"));
}

class Inquiry {
 public:
  Inquiry(store::Store& store, const Question& question) : store_(store), question_(question) {}

  Expected<Answer> answer() && {
    PGA_TRY(answer_.family, store_.family(question_.family));
    if (answer_.family.is_events) return wrong("family: " + question_.family + " has events; ask /api/v1/events");
    PGA_TRY(answer_.grid, lay_grid(question_.from_unix_ns, question_.to_unix_ns, question_.step_s, question_.now_unix_ns));
    PGA_CHECK(find_series());
    PGA_TRY(const std::vector<int> by, labels_to_group_by());
    for (const std::string& field : question_.fields) PGA_CHECK(read(field, by));
    return std::move(answer_);
  }

 private:
  Outcome find_series() {
    store::SeriesQuery query;
    query.family_id = answer_.family.id;
    query.collector = question_.collector;
    query.from_unix_s = answer_.grid.from_unix_s;
    for (const Matcher& matcher : question_.matchers) {
      PGA_TRY(const auto* label, member(answer_.family.labels, matcher.label, "labels", "label", question_.family));
      const bool is_pattern = matcher.is == store::LabelMatch::Is::kLike || matcher.is == store::LabelMatch::Is::kNotLike;
      query.matches.push_back({label->position, matcher.is, is_pattern ? like_pattern(matcher.value) : matcher.value});
    }
    if (!question_.collector.empty()) {
      PGA_TRY(const bool known, store_.knows_collector(question_.collector));
      if (!known) return Error{PGA_E_NOTFOUND, "store.collector", "no collector is called so", {}, 0};
    }
    const std::uint32_t most = question_.gather ? kMembersMax : question_.limit;
    query.limit = most + 1;
    PGA_TRY(series_, store_.series(query));
    if (series_.size() > most) return too_many_series(most);
    return check_values();
  }

  [[nodiscard]] Error too_many_series(std::uint32_t most) const {
    return too_much("too_many_series",
                    "more than " + std::to_string(most) +
                        " series fit; choose fewer by labels or collector, gather them by fewer labels, or raise limit (up to " +
                        std::to_string(kSeriesMax) + ")");
  }

  Outcome check_values() const {
    const std::size_t values = series_.size() * answer_.grid.steps * question_.fields.size();
    const std::size_t most = question_.gather ? kMemberValuesMax : kValuesMax;
    if (values <= most) return {};
    return too_much("too_many_values", std::to_string(values) + " values are more than " + std::to_string(most) +
                                           "; take a longer step, a shorter range or fewer series");
  }

  // Positions of labels; 0 is the collector.
  Expected<std::vector<int>> labels_to_group_by() const {
    std::vector<int> positions;
    for (const std::string& name : question_.by) {
      if (name == kByCollector) {
        positions.push_back(0);
        continue;
      }
      PGA_TRY(const auto* label, member(answer_.family.labels, name, "by", "label", question_.family));
      positions.push_back(label->position);
    }
    return positions;
  }

  Outcome read(const std::string& name, const std::vector<int>& by) {
    PGA_TRY(const auto* field, member(answer_.family.fields, name, "field", "field", question_.family));
    auto aggregate = parse_aggregate(question_.aggregate, field->kind);
    if (!aggregate) return wrong("agg: " + aggregate.error().message);
    Groups groups(question_.gather.value_or(Gather::kSum), answer_.grid.steps);
    const std::size_t piece = std::max<std::size_t>(1, kPieceValues / std::max<std::size_t>(1, answer_.grid.steps));
    for (std::size_t begin = 0; begin < series_.size(); begin += piece) {
      const std::size_t end = std::min(series_.size(), begin + piece);
      PGA_TRY(auto timelines, read_piece(*field, aggregate.value(), begin, end));
      for (std::size_t i = begin; i < end; ++i) {
        Values& values = timelines[i - begin];
        if (question_.gather) {
          groups.add(key_of(series_[i], by), values);
        } else {
          add_series(*field, aggregate.value(), series_[i], std::move(values));
        }
      }
    }
    return question_.gather ? add_groups(*field, aggregate.value(), std::move(groups)) : Outcome();
  }

  // Of series_[begin, end).
  Expected<std::vector<Values>> read_piece(const store::FamilyMember& field, const Aggregate& aggregate, std::size_t begin,
                                           std::size_t end) const {
    if (clock::now_monotonic_ns() > patient_until_ns_)
      return Error{PGA_E_DEADLINE, "57014", "the pieces of an answer took too long together", {}, 0};
    store::StepsQuery query;
    for (std::size_t i = begin; i < end; ++i) query.series_ids.push_back(series_[i].id);
    query.field = field.position;
    query.from_unix_s = answer_.grid.from_unix_s;
    query.to_unix_s = answer_.grid.end_unix_s();
    query.step_s = answer_.grid.step_s;
    if (aggregate.kind == Aggregate::Kind::kQuantile) query.quantile = aggregate.quantile;
    PGA_TRY(const auto rows, store_.steps(query));
    std::vector<Values> timelines;
    auto at = rows.begin();
    for (const std::int64_t id : query.series_ids) {  // ascending, as the rows are
      const auto behind = std::find_if(at, rows.end(), [id](const store::StepRow& row) { return row.series_id != id; });
      timelines.push_back(values_of({at, behind}, aggregate, answer_.grid, question_.hold_s));
      at = behind;
    }
    return timelines;
  }

  static const std::string& label_of(const store::SeriesRow& row, int position) {
    static const std::string kNone;
    const auto index = static_cast<std::size_t>(position - 1);
    return index < row.labels.size() ? row.labels[index] : kNone;
  }

  static Groups::Key key_of(const store::SeriesRow& row, const std::vector<int>& by) {
    Groups::Key key;
    for (const int position : by) key.push_back(position == 0 ? row.collector_id + row.collector_name : label_of(row, position));
    return key;
  }

  void add_series(const store::FamilyMember& field, const Aggregate& aggregate, const store::SeriesRow& row, Values values) {
    Series series{&field, aggregate, row.collector_id, row.collector_name, {}, 1, std::move(values)};
    for (const store::FamilyMember& label : answer_.family.labels) {
      if (const std::string& value = label_of(row, label.position); !value.empty()) series.labels.emplace_back(label.name, value);
    }
    answer_.series.push_back(std::move(series));
  }

  Outcome add_groups(const store::FamilyMember& field, const Aggregate& aggregate, Groups groups) {
    if (groups.size() > question_.limit) return too_many_series(question_.limit);
    if (groups.size() * answer_.grid.steps * question_.fields.size() > kValuesMax)
      return too_much("too_many_values", "the groups have more than " + std::to_string(kValuesMax) +
                                             " values; take a longer step, a shorter range or fewer labels");
    for (auto& [key, group] : std::move(groups).all()) {
      Series series{&field, aggregate, {}, {}, {}, group.members, std::move(group.values)};
      for (std::size_t i = 0; i < key.size(); ++i) {
        if (question_.by[i] == kByCollector) {
          constexpr std::size_t kUuidBytes = 36;
          series.collector_id = key[i].substr(0, kUuidBytes);
          series.collector_name = key[i].substr(kUuidBytes);
        } else if (!key[i].empty()) {
          series.labels.emplace_back(question_.by[i], key[i]);
        }
      }
      answer_.series.push_back(std::move(series));
    }
    return {};
  }

  store::Store& store_;
  const Question& question_;
  Answer answer_;
  std::vector<store::SeriesRow> series_;
  const std::int64_t patient_until_ns_ = clock::now_monotonic_ns() + kPatienceNs;
};

}  // namespace

Expected<Answer> answer(store::Store& store, const Question& question) { return Inquiry(store, question).answer(); }

}  // namespace pganalytics::server::query
