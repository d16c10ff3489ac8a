// What the program tells its caller when it ends: part of the interface (docs/CONFIGURATION.md).
#pragma once

namespace pganalytics::collector {

enum ExitCode : int {
  kOk = 0,
  kFailed = 1,      // a plugin or a call failed
  kUsage = 2,       // command line or configuration
  kNotRunning = 3,  // `status`: no collector runs here (as service scripts have it)
  kLocked = 75,     // another collector holds the state folder (EX_TEMPFAIL)
};

}  // namespace pganalytics::collector
