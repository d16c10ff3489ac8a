#include "plugins/pg_stats/probes.h"

namespace pganalytics::pg_stats {
namespace {

// Probes and names of extensions are ours: letters, digits, underscores, dots and parentheses.
std::string schema_of(const std::string& extension) {
  if (extension.empty()) return "'pg_catalog'::pg_catalog.regnamespace";
  return "(SELECT e.extnamespace FROM pg_catalog.pg_extension AS e WHERE e.extname = '" + extension + "')";
}

}  // namespace

Expected<std::set<std::string>> known_probes(postgres::ReadOnlySession& session, const std::set<std::string>& probes,
                                             const std::string& extension) {
  if (probes.empty()) return std::set<std::string>();
  std::string list;
  for (const std::string& probe : probes) list += (list.empty() ? "('" : ", ('") + probe + "')";
  PGA_TRY(const auto rows, session.query(R"(/* pganalytics:pg_stats/probes */
WITH s AS (SELECT )" + schema_of(extension) +
                                         R"( AS oid)
SELECT p.probe
  FROM (VALUES )" + list + R"() AS p (probe)
 CROSS JOIN s
 WHERE CASE
       WHEN p.probe LIKE '%()' THEN EXISTS (
         SELECT 1 FROM pg_catalog.pg_proc AS f
          WHERE f.pronamespace = s.oid AND f.proname = pg_catalog.rtrim(p.probe, '()')::pg_catalog.name)
       WHEN p.probe LIKE '%.%' THEN EXISTS (
         SELECT 1 FROM pg_catalog.pg_class AS c
           JOIN pg_catalog.pg_attribute AS a ON a.attrelid = c.oid
          WHERE c.relnamespace = s.oid AND c.relname = pg_catalog.split_part(p.probe, '.', 1)::pg_catalog.name
            AND a.attname = pg_catalog.split_part(p.probe, '.', 2)::pg_catalog.name AND NOT a.attisdropped)
       ELSE EXISTS (
         SELECT 1 FROM pg_catalog.pg_class AS c
          WHERE c.relnamespace = s.oid AND c.relname = p.probe::pg_catalog.name)
       END)"));
  std::set<std::string> known;
  for (int row = 0; row < rows.size(); ++row) known.emplace(rows.text(row, 0));
  return known;
}

Expected<std::optional<std::string>> extension_schema(postgres::ReadOnlySession& session, const std::string& extension) {
  PGA_TRY(const auto rows,
          session.query("/* pganalytics:pg_stats/extension */ SELECT pg_catalog.quote_ident(n.nspname) "
                        "FROM pg_catalog.pg_extension AS e JOIN pg_catalog.pg_namespace AS n ON n.oid = e.extnamespace "
                        "WHERE e.extname = '" +
                        extension + "'"));
  if (rows.size() == 0) return std::optional<std::string>();
  return std::optional<std::string>(rows.text(0, 0));
}

}  // namespace pganalytics::pg_stats
