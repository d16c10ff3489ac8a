// Which PostgreSQL binaries run the private cluster.
#pragma once

#include <pganalytics/expected.hpp>
#include <string>

namespace pganalytics::server::program {

struct ClusterBinaries {
  std::string folder;  // has postgres and initdb
  int major = 0;
};

// `bin_dir` if given; otherwise those of the major that made `cluster_dir`, if it exists; otherwise the newest under
// /usr/lib/postgresql (Debian), /usr/pgsql-* (RPM) or in PATH. PGA_E_NOTFOUND with a HINT.
Expected<ClusterBinaries> find_cluster_binaries(const std::string& bin_dir, const std::string& cluster_dir);

}  // namespace pganalytics::server::program
