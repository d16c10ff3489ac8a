// Output of the format "nagios": a line for people, and performance data after "|", as the Monitoring Plugins' guidelines have
// it.
//
//     OK - load average: 0.12 | load1=0.120;5.000;10.000;0; 'free space'=12MB
//     more for people | more=1
//     and=2
//
// Units become UCUM: s, ms, us, ns, % as they are, B "By", KB "KiBy" and so on (these plugins count in 1024s), c a counter,
// none "1", another one "{it}". "U" is a value that is not known. Ranges stay as printed. Pure. Any bytes will do.
#pragma once

#include <string_view>

#include "plugins/exec/reading.h"

namespace pganalytics::exec {

Reading read_nagios(std::string_view output);

}  // namespace pganalytics::exec
