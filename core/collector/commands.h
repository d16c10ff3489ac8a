// The commands of `pganalytics`, one file each (<name>_command.cpp).
//
// Each takes the words after its name and returns the exit code. [main thread]
#pragma once

#include <string>
#include <vector>

namespace pganalytics::collector {

using Arguments = std::vector<std::string>;

int run_command(const Arguments& arguments);           // run, cron
int once_command(const Arguments& arguments);          // once
int check_config_command(const Arguments& arguments);  // check-config
int doctor_command(const Arguments& arguments);        // doctor
int register_command(const Arguments& arguments);      // register
int status_command(const Arguments& arguments);        // status
int plugin_command(const Arguments& arguments);        // plugin list | describe
int version_command(const Arguments& arguments);       // version

}  // namespace pganalytics::collector
