// How many file descriptors the process may have. [main thread]
#pragma once

namespace pganalytics::server::program {

// Raises the soft limit for so many connections and what else is open; warns where the hard limit does not let it. Never lowers.
void make_room_for_connections(unsigned connections);

}  // namespace pganalytics::server::program
