// The actions of `pganalytics plugin`, one file each (<name>_command.cpp). Each takes the words after its name and returns the
// exit code. [main thread]
#pragma once

#include "core/collector/commands.h"

namespace pganalytics::collector {

int plugin_list_command(const Arguments& arguments);      // list
int plugin_describe_command(const Arguments& arguments);  // describe ID|FILE.so
int plugin_new_command(const Arguments& arguments);       // new DIR
int plugin_release_command(const Arguments& arguments);   // release ID
int plugin_run_command(const Arguments& arguments);       // run ID|FILE.so
int plugin_validate_command(const Arguments& arguments);  // validate FILE

}  // namespace pganalytics::collector
