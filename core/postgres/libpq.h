// libpq, for the files of this folder: linked, or loaded when it is first needed.
//
// libpq brings a dozen libraries (OpenSSL, GnuTLS, Kerberos, LDAP), some 2 MiB of a process's own memory. pganalytics::postgres
// links it, for who lives on it. pganalytics::postgres_on_demand is the same folder compiled with PGANALYTICS_LIBPQ_ON_DEMAND: it
// loads libpq with the first connection, for a plugin that connects only where the operator says so. There each name below hides
// libpq's own in our namespace and leads to it. A function that is missing here does not link, so none is forgotten.
#pragma once

#include <libpq-fe.h>

#include <pganalytics/expected.hpp>

#ifdef PGANALYTICS_LIBPQ_ON_DEMAND

namespace pganalytics::postgres {

// Before anything else of libpq: without, the functions below do nothing and return nothing. "pg.libpq": it cannot be loaded.
// Any thread.
Outcome load_libpq();
// A connection was made, or is no more: while there is one libpq is not unloaded. Any thread.
void count_connection(int change);
// nullptr: libpq is not loaded, or has none of that name. Any thread.
void* libpq_symbol(const char* name);

template <class Function, const char* kName>
struct OnDemand;

template <class Returned, class... Arguments, const char* kName>
struct OnDemand<Returned(Arguments...), kName> {
  static Returned call(Arguments... arguments) {
    // Each time: libpq may have been unloaded since, and a look-up costs a fraction of a microsecond.
    const auto function = reinterpret_cast<Returned (*)(Arguments...)>(libpq_symbol(kName));
    return function != nullptr ? function(arguments...) : Returned();
  }
};

#define PGA_LIBPQ(name)                    \
  inline constexpr char k##name[] = #name; \
  inline constexpr auto name = &OnDemand<decltype(::name), k##name>::call

PGA_LIBPQ(PQbackendPID);
PGA_LIBPQ(PQcancel);
PGA_LIBPQ(PQclear);
PGA_LIBPQ(PQcmdTuples);
PGA_LIBPQ(PQconnectPoll);
PGA_LIBPQ(PQconnectStartParams);
PGA_LIBPQ(PQconnectionNeedsPassword);
PGA_LIBPQ(PQconninfo);
PGA_LIBPQ(PQconninfoFree);
PGA_LIBPQ(PQconninfoParse);
PGA_LIBPQ(PQconsumeInput);
PGA_LIBPQ(PQdb);
PGA_LIBPQ(PQerrorMessage);
PGA_LIBPQ(PQfinish);
PGA_LIBPQ(PQflush);
PGA_LIBPQ(PQfname);
PGA_LIBPQ(PQfnumber);
PGA_LIBPQ(PQfreeCancel);
PGA_LIBPQ(PQfreemem);
PGA_LIBPQ(PQftype);
PGA_LIBPQ(PQgetCancel);
PGA_LIBPQ(PQgetCopyData);
PGA_LIBPQ(PQgetResult);
PGA_LIBPQ(PQgetisnull);
PGA_LIBPQ(PQgetlength);
PGA_LIBPQ(PQgetvalue);
PGA_LIBPQ(PQhost);
PGA_LIBPQ(PQisBusy);
PGA_LIBPQ(PQnfields);
PGA_LIBPQ(PQntuples);
PGA_LIBPQ(PQparameterStatus);
PGA_LIBPQ(PQpass);
PGA_LIBPQ(PQport);
PGA_LIBPQ(PQputCopyData);
PGA_LIBPQ(PQputCopyEnd);
PGA_LIBPQ(PQresultErrorField);
PGA_LIBPQ(PQresultStatus);
PGA_LIBPQ(PQsendPrepare);
PGA_LIBPQ(PQsendQuery);
PGA_LIBPQ(PQsendQueryParams);
PGA_LIBPQ(PQsendQueryPrepared);
PGA_LIBPQ(PQserverVersion);
PGA_LIBPQ(PQsetErrorVerbosity);
PGA_LIBPQ(PQsetNoticeReceiver);
PGA_LIBPQ(PQsetnonblocking);
PGA_LIBPQ(PQsocket);
PGA_LIBPQ(PQstatus);
PGA_LIBPQ(PQtransactionStatus);
PGA_LIBPQ(PQuser);

#undef PGA_LIBPQ

}  // namespace pganalytics::postgres

#else

namespace pganalytics::postgres {

inline Outcome load_libpq() { return {}; }
inline void count_connection(int /*change*/) {}

}  // namespace pganalytics::postgres

#endif
