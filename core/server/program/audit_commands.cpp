// audit list, audit verify: who did what, and whether the record of it is whole.
#include "core/clock/clock.h"
#include "core/schema/units.h"
#include "core/server/api/audit_log.h"
#include "core/server/program/commands.h"
#include "core/server/program/database.h"
#include "core/server/store/audit_chain.h"
#include "core/terminal/text_table.h"

#include <algorithm>
#include <cstdio>
#include <iostream>
#include <pganalytics/json.hpp>

namespace pganalytics::server::program {
namespace {

namespace po = boost::program_options;

constexpr std::uint32_t kPage = 1'000;

// Each row after `after_id` that fits, oldest first, in pages. `visit` returns false to stop.
template <class Visit>
Outcome for_each_row(store::Store& store, std::int64_t after_id, const store::AuditFilter& filter, const Visit& visit) {
  for (;;) {
    PGA_TRY(const auto page, store.audit_rows(after_id, kPage, filter));
    for (const store::AuditRow& row : page) {
      if (!visit(row)) return {};
    }
    if (page.size() < kPage) return {};
    after_id = page.back().id;
  }
}

void print_json(const store::AuditRow& row) {
  JsonWriter json;
  api::write_json(json, row);
  std::cout << json.text() << "\n";
}

void print_line(const store::AuditRow& row) {
  std::printf("%8lld  %s  %-24s  %-28s  %s  %s  %s\n", static_cast<long long>(row.id),
              clock::format_rfc3339(row.at_unix_us * 1'000).c_str(), terminal::printable(row.action).c_str(),
              terminal::printable(row.actor).c_str(), row.subject.empty() ? "-" : terminal::printable(row.subject).c_str(),
              row.address.empty() ? "-" : row.address.c_str(), terminal::printable(row.detail_json).c_str());
}

Expected<std::optional<std::int64_t>> read_time(const Arguments& arguments, const char* name) {
  if (arguments.values.count(name) == 0) return std::optional<std::int64_t>();
  const auto unix_ns = clock::parse_rfc3339(arguments.value<std::string>(name));
  if (unix_ns) return unix_ns;
  return Error{PGA_E_CONFIG, name, "--" + std::string(name) + " is no time", "Write it like 2026-02-03T04:05:06Z.", 0};
}

Expected<store::AuditFilter> read_filter(const Arguments& arguments) {
  store::AuditFilter filter{arguments.value<std::string>("actor"),
                            arguments.value<std::string>("action"),
                            arguments.value<std::string>("subject"),
                            {},
                            {}};
  PGA_TRY(filter.from_unix_ns, read_time(arguments, "from"));
  PGA_TRY(filter.to_unix_ns, read_time(arguments, "to"));
  return filter;
}

// The id before the newest `limit` rows that fit; 0: there are no more than these.
Expected<std::int64_t> id_before_newest(store::Store& store, const store::AuditFilter& filter, std::uint32_t limit) {
  store::AuditQuery query{filter, kPage, ""};
  std::int64_t before_id = 0;
  do {
    query.limit = std::min(limit, kPage);
    PGA_TRY(const store::AuditPage page, store.audit_page(query));
    if (!page.rows.empty()) before_id = page.rows.back().id - 1;
    limit -= query.limit;
    query.cursor = page.next_cursor;
  } while (limit > 0 && !query.cursor.empty());
  return before_id;
}

Outcome list(const Arguments& arguments) {
  const int limit = arguments.value<int>("limit");
  if (limit < 0) return Error{PGA_E_CONFIG, "limit", "--limit is negative", "0 shows all.", 0};
  PGA_TRY(const store::AuditFilter filter, read_filter(arguments));
  PGA_TRY(const Workplace place, open_workplace(arguments.config_file, PrivateCluster::Holder::kCommand));
  store::Store& store = *place.database.store;
  std::int64_t after_id = 0;
  if (limit > 0) {
    PGA_TRY(after_id, id_before_newest(store, filter, static_cast<std::uint32_t>(limit)));
  }
  return for_each_row(store, after_id, filter, [&](const store::AuditRow& row) {
    arguments.json ? print_json(row) : print_line(row);
    return true;
  });
}

int audit_list(const Arguments& arguments) {
  if (const Outcome listed = list(arguments); !listed) return report(listed.error());
  return kExitOk;
}

struct Verdict {
  std::int64_t rows = 0;
  std::string newest_hash, fault;
  bool has_head = false;
};

// `head`: a hash noted earlier, which must still be in the chain; "" asks for none.
Expected<Verdict> verify(const Arguments& arguments, const std::string& head) {
  PGA_TRY(const Workplace place, open_workplace(arguments.config_file, PrivateCluster::Holder::kCommand));
  Verdict verdict;
  store::AuditChain chain;
  PGA_CHECK(for_each_row(*place.database.store, 0, {}, [&](const store::AuditRow& row) {
    verdict.fault = chain.check(row);
    ++verdict.rows;
    verdict.newest_hash = row.hash;
    verdict.has_head = verdict.has_head || row.hash == head;
    return verdict.fault.empty();
  }));
  if (verdict.fault.empty() && !head.empty() && !verdict.has_head) {
    verdict.fault = "the row with hash " + head + " is gone: rows at the end were removed";
  }
  return verdict;
}

int audit_verify(const Arguments& arguments) {
  const auto verdict = verify(arguments, arguments.value<std::string>("head"));
  if (!verdict) return report(verdict.error());
  if (arguments.json) {
    JsonWriter json;
    json.begin_object()
        .member("intact", verdict->fault.empty())
        .member("rows", verdict->rows)
        .member("head", verdict->newest_hash);
    if (!verdict->fault.empty()) json.member("fault", verdict->fault);
    std::cout << json.end_object().text() << "\n";
    return verdict->fault.empty() ? kExitOk : kExitFailed;
  }
  if (!verdict->fault.empty()) {
    return report({PGA_E_FAIL, "audit.broken", "the audit log was tampered with: " + verdict->fault,
                   "Compare with a backup, and look who could write to the database since.", 0});
  }
  std::cout << "intact: " << verdict->rows << " rows" << (verdict->rows == 0 ? "" : "; head " + verdict->newest_hash) << "\n";
  return kExitOk;
}

}  // namespace

std::vector<Command> audit_commands() {
  po::options_description list("Options");
  list.add_options()("limit", po::value<int>()->default_value(100)->value_name("N"), "the newest N entries; 0: all");
  const auto words = [] { return po::value<std::string>()->default_value(""); };
  list.add_options()("actor", words()->value_name("WHO"), "only of this one, or of those that begin so: key:admin:*");
  list.add_options()("action", words()->value_name("WHAT"), "only this, or what begins so: config.*");
  list.add_options()("subject", words()->value_name("WHOM"), "only about this one: a collector's id, token:N, key:N");
  list.add_options()("from", po::value<std::string>()->value_name("TIME"), "not before (2026-02-03T04:05:06Z)");
  list.add_options()("to", po::value<std::string>()->value_name("TIME"), "before");
  po::options_description verify("Options");
  verify.add_options()("head", po::value<std::string>()->default_value("")->value_name("HASH"),
                       "a head that was noted earlier: it must still be there");
  return {{"audit list", "", 0, "who enrolled, configured, revoked, was refused; oldest first", list, audit_list},
          {"audit verify", "", 0, "check that no entry was changed or removed", verify, audit_verify}};
}

}  // namespace pganalytics::server::program
