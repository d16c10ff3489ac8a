// SQLSTATE -> status of the ABI, one pure function over two tables: exact codes before classes (PostgreSQL docs, appendix A).
#include "core/postgres/connection.h"

namespace pganalytics::postgres {

namespace {

struct Meaning {
  std::string_view code;  // five characters, or the two of a class
  pga_status status;
};

constexpr Meaning kExact[] = {
    {"25006", PGA_E_TRANSIENT},    // read_only_sql_transaction: a write reached a standby, as after a failover
    {"25P04", PGA_E_DEADLINE},     // transaction_timeout
    {"42501", PGA_E_DENIED},       // insufficient_privilege
    {"42703", PGA_E_UNSUPPORTED},  // undefined_column: this server does not have what the statement asks for
    {"42704", PGA_E_UNSUPPORTED},  // undefined_object
    {"42883", PGA_E_UNSUPPORTED},  // undefined_function
    {"42P01", PGA_E_UNSUPPORTED},  // undefined_table
    {"55P03", PGA_E_TRANSIENT},    // lock_not_available: lock_timeout or NOWAIT
    // query_canceled: statement_timeout, an administrator, or our own PQcancel. Each is "gave up in time", none says that
    // the server is away, so it is DEADLINE rather than TRANSIENT.
    {"57014", PGA_E_DEADLINE},
};

constexpr Meaning kClasses[] = {
    {"08", PGA_E_TRANSIENT},    // connection exception
    {"0A", PGA_E_UNSUPPORTED},  // feature not supported
    {"28", PGA_E_DENIED},       // invalid authorization: pg_hba.conf, password, role
    {"3D", PGA_E_TRANSIENT},    // the database does not exist: it may be created, or restored, any minute
    {"40", PGA_E_TRANSIENT},    // rollback: serialization failure, deadlock, recovery conflict
    {"53", PGA_E_TRANSIENT},    // insufficient resources: too many connections, disk full, out of memory
    {"57", PGA_E_TRANSIENT},    // operator intervention: shutdown, crash, starting up, database dropped
    {"58", PGA_E_TRANSIENT},    // system error: a write or read that the disk refused
};

}  // namespace

pga_status status_of_sqlstate(std::string_view sqlstate) {
  for (const Meaning& exact : kExact) {
    if (sqlstate == exact.code) return exact.status;
  }
  for (const Meaning& family : kClasses) {
    if (sqlstate.size() == 5 && sqlstate.substr(0, 2) == family.code) return family.status;
  }
  return PGA_E_FAIL;
}

}  // namespace pganalytics::postgres
