// The private PostgreSQL: installed binaries, a data directory of our own, a Unix socket that only we can reach.
//
//   data_dir/postgresql/      the cluster (initdb makes it beside and renames it, so it is whole or absent)
//   data_dir/postgresql.log   what it says
//   data_dir/cluster.lock     held by whoever starts and stops it: the server for its life, a command for its own
//
// It outlives a server that was killed; the next one adopts it. [main thread]
#pragma once

#include "core/server/program/cluster_binaries.h"

#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <pganalytics/expected.hpp>
#include <string>

namespace pganalytics::server::program {

class PrivateCluster {
 public:
  enum class Holder {
    kServer,   // waits for a command to finish; fails if another server holds it (error.code "cluster.in_use")
    kCommand,  // beside a running server: uses that one's cluster and leaves it running
  };

  // Makes the cluster at first use, starts or adopts it, and waits until it answers.
  static Expected<std::unique_ptr<PrivateCluster>> open(const std::string& data_dir, const std::string& bin_dir, Holder holder);
  ~PrivateCluster();  // stop()

  [[nodiscard]] const std::string& conninfo() const;

  // Starts it again if it has died. Cheap when it has not.
  Outcome keep_running();
  [[nodiscard]] std::uint64_t restarts() const;  // how often keep_running() did [any thread]
  // "Fast" shutdown (PostgreSQL docs, "Shutting Down the Server"), after 20 s "immediate". Does nothing for a cluster of somebody
  // else.
  void stop();

 private:
  class Impl;
  explicit PrivateCluster(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace pganalytics::server::program
