// The commands of pganalytics-server, by subject; main.cpp puts them together.
#pragma once

#include "core/server/program/arguments.h"

#include <vector>

namespace pganalytics::server::program {

std::vector<Command> server_commands();     // run, migrate, version
std::vector<Command> token_commands();      // token create, list, revoke
std::vector<Command> key_commands();        // key create, list, revoke, rotate-signing
std::vector<Command> ca_commands();         // ca show, rotate, promote, retire
std::vector<Command> collector_commands();  // collector list, show, revoke
std::vector<Command> audit_commands();      // audit list, audit verify
std::vector<Command> config_commands();     // config get, put, history, rollback
std::vector<Command> storage_commands();    // storage

}  // namespace pganalytics::server::program
