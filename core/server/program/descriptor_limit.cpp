#include "core/server/program/descriptor_limit.h"

#include "core/log/log.h"

#include <sys/resource.h>

#include <algorithm>
#include <string>

namespace pganalytics::server::program {

void make_room_for_connections(unsigned connections) {
  constexpr rlim_t kOthers = 256;  // the database, files, the listeners
  const rlim_t wanted = connections + kOthers;
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= wanted) return;
  limit.rlim_cur = std::min(wanted, limit.rlim_max);
  if (setrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur >= wanted) return;
  const Error error{PGA_E_CONFIG, "limits.descriptors",
                    "the system lets this process open " + std::to_string(limit.rlim_cur) +
                        " files, [limits] connections = " + std::to_string(connections) + " needs " + std::to_string(wanted),
                    "Raise LimitNOFILE= of the service, or lower connections.", 0};
  log::write(log::Level::kWarn, "room for connections", error);
}

}  // namespace pganalytics::server::program
