// Where pushes are forwarded to: a [forward.NAME] of the settings. Value type.
#pragma once

#include "core/config/export_config.h"

#include <string>

namespace pganalytics::server::forward {

struct Destination {
  std::string name;
  config::ReceiverConfig receiver;
  std::string bearer_token_file;  // "": no token is sent
};
inline bool operator==(const Destination& a, const Destination& b) {
  return a.name == b.name && a.receiver == b.receiver && a.bearer_token_file == b.bearer_token_file;
}

}  // namespace pganalytics::server::forward
