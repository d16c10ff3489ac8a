// pganalytics-server: the command line. What each command does: *_commands.cpp and run.cpp.
#include "core/server/program/arguments.h"
#include "core/server/program/commands.h"

#include <csignal>
#include <exception>
#include <iostream>

int main(int argc, char** argv) {
  using namespace pganalytics::server::program;
  std::signal(SIGPIPE, SIG_IGN);  // a peer that hangs up is an error of that connection, not the end of the process
  try {
    std::vector<Command> commands;
    for (const auto& group : {server_commands(), token_commands(), key_commands(), ca_commands(), collector_commands(),
                              config_commands(), audit_commands(), storage_commands()}) {
      for (const Command& command : group) commands.push_back(command);
    }
    return dispatch(commands, argc, argv);
  } catch (const std::exception& unexpected) {
    std::cerr << "error: " << unexpected.what() << "\n";
    return kExitFailed;
  }
}
