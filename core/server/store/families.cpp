// Families and their members, read back.
#include "core/server/store/impl.h"

namespace pganalytics::server::store {
namespace {

std::vector<FamilyMember>& of_role(FamilyInfo& family, std::string_view role) {
  if (role == "label") return family.labels;
  return role == "field" ? family.fields : family.facts;
}

// One row a member, those of a family together; a family without members has one row with nulls.
std::vector<FamilyInfo> families_of(const postgres::Rows& rows) {
  std::vector<FamilyInfo> families;
  for (int row = 0; row < rows.size(); ++row) {
    const std::int64_t id = rows.int64(row, 0).value_or(0);
    if (families.empty() || families.back().id != id) {
      FamilyInfo family;
      family.id = id;
      family.view = rows.text(row, 1);
      family.plugin = rows.text(row, 2);
      family.name = rows.text(row, 3);
      family.description = rows.text(row, 4);
      family.is_events = rows.boolean(row, 5).value_or(false);
      families.push_back(std::move(family));
    }
    if (rows.is_null(row, 6)) continue;
    FamilyMember member;
    member.position = static_cast<int>(rows.int64(row, 7).value_or(0));
    member.name = rows.text(row, 8);
    member.kind = rows.text(row, 9);
    member.unit = rows.text(row, 10);
    member.description = rows.text(row, 11);
    of_role(families.back(), rows.text(row, 6)).push_back(std::move(member));
  }
  return families;
}

}  // namespace

Expected<FamiliesPage> Store::families(const std::string& plugin, const std::string& after, std::uint32_t limit) {
  // One more than asked for tells whether there is another page.
  PGA_TRY(const postgres::Rows rows, impl_->ask(embedded::families_page_sql, {plugin, after, std::to_string(limit + 1)}));
  FamiliesPage page;
  page.families = families_of(rows);
  if (page.families.size() > limit) {
    page.families.resize(limit);
    page.next = page.families.back().view;
  }
  return page;
}

Expected<FamilyInfo> Store::family(const std::string& view) {
  PGA_TRY(const postgres::Rows rows, impl_->ask(embedded::family_sql, {view}));
  if (rows.size() == 0) return Error{PGA_E_NOTFOUND, "store.family", "there is no family called \"" + view + "\"", {}, 0};
  return std::move(families_of(rows).front());
}

Expected<std::vector<std::string>> Store::family_names() {
  PGA_TRY(const postgres::Rows rows, impl_->ask(embedded::families_names_sql, {}));
  std::vector<std::string> names;
  for (int row = 0; row < rows.size(); ++row) names.emplace_back(rows.text(row, 0));
  return names;
}

Expected<std::vector<FamilySize>> Store::family_sizes() {
  PGA_TRY(const postgres::Rows rows, impl_->ask(embedded::family_sizes_sql, {}));
  std::vector<FamilySize> sizes;
  for (int row = 0; row < rows.size(); ++row) {
    const auto number = [&](int column) { return rows.int64(row, column).value_or(0); };
    sizes.push_back({std::string(rows.text(row, 0)), std::string(rows.text(row, 1)), number(2), number(3), number(4), number(5)});
  }
  return sizes;
}

}  // namespace pganalytics::server::store
