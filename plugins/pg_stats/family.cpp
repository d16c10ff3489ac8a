#include "plugins/pg_stats/family.h"

#include <algorithm>
#include <charconv>

namespace pganalytics::pg_stats {
namespace {

constexpr std::string_view kComment = "-- ";
constexpr std::string_view kSelect = "SELECT ";

std::string_view trimmed(std::string_view text) {
  const std::size_t first = text.find_first_not_of(' ');
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(' ') - first + 1);
}

bool take_prefix(std::string_view& text, std::string_view prefix) {
  if (text.substr(0, prefix.size()) != prefix) return false;
  text.remove_prefix(prefix.size());
  return true;
}

std::string_view take_word(std::string_view& text) {
  text = trimmed(text);
  const std::size_t end = std::min(text.find(' '), text.size());
  const std::string_view word = text.substr(0, end);
  text.remove_prefix(end);
  return word;
}

struct KindName {
  std::string_view name;
  Kind kind;
  Type type;  // by default
};
constexpr KindName kKinds[] = {
    {"key", Kind::kKey, Type::kText},        {"label", Kind::kLabel, Type::kText},        {"info", Kind::kInfo, Type::kText},
    {"gauge", Kind::kGauge, Type::kInteger}, {"counter", Kind::kCounter, Type::kInteger}, {"drift", Kind::kGauge, Type::kInteger},
    {"epoch", Kind::kEpoch, Type::kTime}};
constexpr std::pair<std::string_view, Type> kTypes[] = {
    {"int", Type::kInteger}, {"num", Type::kNumber}, {"text", Type::kText}, {"bool", Type::kBoolean}, {"time", Type::kTime}};

template <class Table>
auto find_name(const Table& table, std::string_view word) {
  return std::find_if(std::begin(table), std::end(table), [&](const auto& each) {
    if constexpr (std::is_same_v<std::decay_t<decltype(each)>, KindName>) {
      return each.name == word;
    } else {
      return each.first == word;
    }
  });
}

class Parser {
 public:
  explicit Parser(std::string_view name) { family_.name = name; }

  Expected<Family> parse(std::string_view sql) {
    while (!sql.empty()) {
      const std::string_view line = sql.substr(0, sql.find('\n'));
      sql.remove_prefix(std::min(line.size() + 1, sql.size()));
      ++number_;
      std::string_view text = line;
      PGA_CHECK(take_prefix(text, kComment) ? header(text) : body(line));
    }
    if (family_.columns.empty()) return bad("has no column");
    if (family_.interval.count() == 0 || family_.grants.empty() || family_.cost.empty())
      return bad("lacks Every, Grants or Cost");
    return std::move(family_);
  }

 private:
  [[nodiscard]] Error bad(const std::string& what) const {
    return {PGA_E_FAIL, "family", "family " + family_.name + ", line " + std::to_string(number_) + ": " + what, "", 0};
  }

  Outcome header(std::string_view text) {
    if (number_ == 1) return family_.description = text, Outcome();
    const std::size_t colon = text.find(": ");
    if (colon == std::string_view::npos) return bad("is no header line");
    const std::string_view key = text.substr(0, colon);
    const std::string_view value = trimmed(text.substr(colon + 2));
    if (key == "Role") return family_.role = value, Outcome();
    if (key == "Grants") return family_.grants = value, Outcome();
    if (key == "Cost") return family_.cost = value, Outcome();
    if (key == "Needs") return family_.needs = value, Outcome();
    if (key == "Extension") return family_.extension = value, Outcome();
    if (key == "Scope" && value == "server") return family_.scope = Scope::kServer, Outcome();
    if (key == "Scope" && value == "database") return family_.scope = Scope::kDatabase, Outcome();
    if (key == "Rows" && value == "one") return family_.extent = Extent::kOne, Outcome();
    if (key == "Rows" && value == "all") return family_.extent = Extent::kAll, Outcome();
    if (key == "Rows" && value == "changed") return family_.extent = Extent::kChanged, Outcome();
    if (key == "Rows" && value == "of databases") return family_.extent = Extent::kOfDatabases, Outcome();
    int number = 0;
    const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), number);
    const std::string_view rest(end, static_cast<std::size_t>(value.data() + value.size() - end));
    if (error == std::errc() && number > 0) {
      if (key == "Slices" && rest.empty()) return family_.slices = number, Outcome();
      if (key == "Every" && rest == "s") return family_.interval = std::chrono::seconds(number), Outcome();
      if (key == "Every" && rest == "m") return family_.interval = std::chrono::minutes(number), Outcome();
    }
    return bad("is no header line that is known");
  }

  Outcome body(std::string_view line) {
    const std::size_t at = line.rfind(kComment);
    if (at == std::string_view::npos) return plain(line, "");
    const std::string_view sql = line.substr(0, line.find_last_not_of(' ', at - 1) + 1);
    std::string_view comment = line.substr(at + kComment.size());
    const std::string_view whole = comment;
    std::string_view word = take_word(comment);
    if (!word.empty() && word.back() == ':') word.remove_suffix(1);
    if (word == "slice") return plain(sql, "", Line::Place::kSlice);
    if (word == "keys") return plain(sql, "", Line::Place::kKeys);
    if (trimmed(sql).empty()) return word == "or" ? alternative(comment) : Outcome();
    if (word == "if") {
      PGA_TRY(const std::string probe, bracketed(comment, nullptr));
      return plain(sql, probe);
    }
    const auto* const kind = find_name(kKinds, word);
    if (kind == std::end(kKinds)) return plain(sql, "");
    return column(sql, *kind, whole.substr(word.size()));
  }

  Outcome plain(std::string_view sql, const std::string& probe, Line::Place place = Line::Place::kNone) {
    family_.lines.push_back({std::string(sql), "", probe, place, false});
    return {};
  }

  // SQL [probe], or SQL alone: then it needs none.
  Outcome alternative(std::string_view text) {
    if (family_.lines.empty()) return bad("is an alternative to nothing");
    const std::size_t bracket = text.find('[');
    std::string probe;
    if (bracket != std::string_view::npos) {
      std::string_view rest = text.substr(bracket);
      PGA_TRY(probe, bracketed(rest, nullptr));
    }
    Line line{std::string(trimmed(text.substr(0, bracket))), family_.lines.back().column, probe};
    line.alternative = true;
    family_.lines.push_back(std::move(line));
    return {};
  }

  // "[18 probe]" or "[probe]"; what follows it is left in `text`.
  Expected<std::string> bracketed(std::string_view& text, int* since) {
    text = trimmed(text);
    const std::size_t close = text.find(']');
    if (text.empty() || text[0] != '[' || close == std::string_view::npos) return bad("lacks its probe in brackets");
    std::string_view inside = text.substr(1, close - 1);
    text.remove_prefix(close + 1);
    if (since != nullptr) {
      const std::string_view major = take_word(inside);
      if (std::from_chars(major.data(), major.data() + major.size(), *since).ec != std::errc()) return bad("lacks the major");
    }
    inside = trimmed(inside);
    if (inside.empty()) return bad("has an empty probe");
    return std::string(inside);
  }

  // int num text bool time, unit, [probe]: meaning
  Outcome column(std::string_view sql, const KindName& kind, std::string_view comment) {
    const std::size_t as = sql.rfind(" AS ");
    if (as == std::string_view::npos) return bad("has no AS");
    std::string_view name = sql.substr(as + 4);
    if (!name.empty() && name.back() == ',') name.remove_suffix(1);
    if (name.size() > 1 && name.front() == '"') name = name.substr(1, name.size() - 2);
    std::string_view source = trimmed(sql.substr(0, as));
    take_prefix(source, kSelect);
    Column column{std::string(name), kind.kind, kind.type, "", std::string(trimmed(source)), "", 0, kind.name == "drift"};
    if (!column.drifts && !family_.columns.empty() && family_.columns.back().drifts) return bad("stands behind one that drifts");

    const std::size_t bracket = comment.find('[');
    const std::size_t colon = comment.find(": ");
    std::string probe;
    if (bracket < colon) {
      std::string_view rest = comment.substr(bracket);
      PGA_TRY(probe, bracketed(rest, &column.since));
      if (!take_prefix(rest, ": ")) return bad("lacks its meaning");
      column.description = rest;
    } else if (colon != std::string_view::npos) {
      column.description = comment.substr(colon + 2);
    } else {
      return bad("lacks its meaning");
    }
    std::string_view words = comment.substr(0, std::min(bracket, colon));
    for (std::string_view word = take_word(words); !word.empty(); word = take_word(words)) {
      const auto* const type = find_name(kTypes, word);
      if (type != std::end(kTypes)) {
        column.type = type->second;
      } else {
        column.unit = word;
      }
    }
    const bool measured = column.kind == Kind::kGauge || column.kind == Kind::kCounter;
    if (measured && column.unit.empty()) return bad("lacks its unit");
    family_.lines.push_back({std::string(sql), column.name, probe});
    family_.columns.push_back(std::move(column));
    return {};
  }

  Family family_;
  int number_ = 0;
};

void append(std::string& sql, std::string_view line) {
  if (!sql.empty()) sql += '\n';
  sql += line;
}

// The number at the end is that of the first slice, the list at the end an empty one.
std::string filled_in(const Line& line, int slice, const std::string& keys) {
  switch (line.place) {
    case Line::Place::kSlice: return line.sql.substr(0, line.sql.size() - 1) + std::to_string(slice);
    case Line::Place::kKeys: return line.sql.substr(0, line.sql.size() - 2) + keys + ")";
    case Line::Place::kNone: break;
  }
  return line.sql;
}

// NULL in the place of a column's source; what stands around it stays.
std::string without_source(const std::string& sql) {
  const std::size_t as = sql.rfind(" AS ");
  const std::string_view text = std::string_view(sql).substr(sql.find_first_not_of(' '));
  return std::string(text.substr(0, kSelect.size()) == kSelect ? kSelect : "") + "NULL" + sql.substr(as);
}

}  // namespace

std::set<std::string> Family::probes() const {
  std::set<std::string> all;
  for (const Line& line : lines) {
    if (!line.probe.empty()) all.insert(line.probe);
  }
  if (!needs.empty()) all.insert(needs);
  return all;
}

Expected<Family> parse_family(std::string_view name, std::string_view sql) { return Parser(name).parse(sql); }

std::string select_of(const Family& family, const std::set<std::string>& known, const std::string& extension_schema, int slice,
                      const std::string& keys) {
  std::string sql;
  for (std::size_t i = 0; i < family.lines.size();) {
    const Line& line = family.lines[i];
    // The first of the line and its alternatives that this server has.
    const Line* chosen = nullptr;
    do {
      const Line& each = family.lines[i++];
      if (chosen == nullptr && (each.probe.empty() || known.count(each.probe) > 0)) chosen = &each;
    } while (i < family.lines.size() && family.lines[i].alternative);
    if (chosen != nullptr && chosen->place == Line::Place::kSlice && slice == kWhole) continue;
    if (chosen != nullptr) {
      append(sql, filled_in(*chosen, slice, keys));
    } else if (!line.column.empty()) {
      append(sql, without_source(line.sql));
    }
  }
  if (family.extension.empty()) return sql;
  constexpr std::string_view kPlaceholder = "\"public\".";
  for (std::size_t at = sql.find(kPlaceholder); at != std::string::npos; at = sql.find(kPlaceholder, at)) {
    sql.replace(at, kPlaceholder.size(), extension_schema + ".");
    at += extension_schema.size() + 1;
  }
  return sql;
}

}  // namespace pganalytics::pg_stats
