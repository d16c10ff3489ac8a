// A Unix socket's path as the kernel takes it, for both ends of the control socket. [any thread]
#pragma once

#include "core/config/collector_config.h"

#include <sys/socket.h>
#include <sys/un.h>

#include <cstring>
#include <pganalytics/expected.hpp>
#include <string>

namespace pganalytics::collector {

static_assert(config::kControlSocketBytesMax == sizeof(sockaddr_un::sun_path) - 1);

inline Expected<sockaddr_un> control_address(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() > config::kControlSocketBytesMax) {
    return Error{PGA_E_CONFIG, "control.path",
                 "the control socket's path " + path + " has " + std::to_string(path.size()) + " bytes; the system takes " +
                     std::to_string(config::kControlSocketBytesMax),
                 "Give a shorter one as [collector] control_socket.", 0};
  }
  std::memcpy(address.sun_path, path.data(), path.size());
  return address;
}

}  // namespace pganalytics::collector
