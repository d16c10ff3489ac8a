// For plugins that ask a server now and then: what libpq has brought is not kept between.
#pragma once

namespace pganalytics::postgres {

// Of pganalytics::postgres_on_demand only: lets go of libpq and of what it has brought, and gives free memory back to the system;
// the next connection loads it anew (2 ms of a processor). libcrypto, libssl and p11-kit stay: they do not unload (dlclose(3),
// RTLD_NODELETE), so that some 0.8 MiB of 1.4 remain. Does nothing while there is a connection. Of those that were closed there
// may be no rows any more, and none may be made meanwhile on another thread.
void unload_libpq();

}  // namespace pganalytics::postgres
