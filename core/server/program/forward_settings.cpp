#include "core/server/program/forward_settings.h"

#include <string>

namespace pganalytics::server::program {
namespace {

using config::Node;
using config::Problems;
using config::ReceiverConfig;
using config::TableReader;

// It is a label of metrics, a name in the database and in messages.
bool is_name(const std::string& text) {
  return !text.empty() && text.size() <= 32 &&
         text.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_-") == std::string::npos;
}

forward::Destination read_forward(const std::string& name, const Node& node, Problems& problems) {
  TableReader table(node, "forward." + name, problems);
  forward::Destination destination;
  destination.name = name;
  destination.receiver = config::read_receiver(table, "Write the token into a file and name it in bearer_token_file.");
  const std::string kind = table.choice("kind", "remote_write", {"remote_write", "otlp"});
  using Protocol = ReceiverConfig::Protocol;
  destination.receiver.protocol = kind == "otlp" ? Protocol::kOtlp : Protocol::kRemoteWrite;
  destination.bearer_token_file = table.string("bearer_token_file", "");
  table.finish();
  return destination;
}

}  // namespace

std::vector<forward::Destination> read_forwards(TableReader& root, Problems& problems) {
  std::vector<forward::Destination> destinations;
  const Node* const node = root.raw("forward");
  if (node == nullptr) return destinations;
  const auto* const tables = std::get_if<Node::Table>(&node->value);
  const char* const hint = "Write a table for each destination, [forward.NAME], its name of a-z, 0-9, _ and -.";
  if (tables == nullptr) {
    root.problem("forward", "is no table", hint);
    return destinations;
  }
  for (const auto& [name, member] : *tables) {
    if (!is_name(name) || !member.is_table()) {
      root.problem("forward", "'" + name + "' is no destination", hint);
    } else if (destinations.size() == kForwardsMost) {
      root.problem("forward", "has more than " + std::to_string(kForwardsMost) + " destinations", "Leave some out.");
      break;
    } else {
      destinations.push_back(read_forward(name, member, problems));
    }
  }
  return destinations;
}

}  // namespace pganalytics::server::program
