// The real server, as a process in a folder, and the database behind it. Started by the constructor, stopped by the destructor.
//
// Its configuration has the defaults, but for enrolment, which is not measured here, and for what the options say.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>

namespace pganalytics::bench {

struct SiteOptions {
  std::string binary;        // pganalytics-server
  std::string folder;        // kept, so that the next run finds its collectors
  std::string database_url;  // "": a private PostgreSQL in the folder
  std::string bin_dir;       // of the private one; "": the newest installed
  unsigned database_connections = 8;
};

class Site {
 public:
  explicit Site(SiteOptions options);  // throws when the server does not listen within two minutes
  Site(const Site&) = delete;
  Site& operator=(const Site&) = delete;
  ~Site();

  [[nodiscard]] std::uint16_t port() const { return port_; }
  [[nodiscard]] pid_t pid() const { return pid_; }
  [[nodiscard]] std::string ca_pem() const;
  [[nodiscard]] std::string registration_token(unsigned uses) const;
  // CPU seconds of the private PostgreSQL so far; 0 of another one.
  [[nodiscard]] double database_cpu_s() const;

 private:
  void write_configuration() const;
  void start();
  void stop() const;

  const SiteOptions options_;
  const std::string data_dir_, configuration_;
  std::uint16_t port_ = 0;
  pid_t pid_ = -1;
};

std::string read_file(const std::string& path);  // "" if it cannot be read

}  // namespace pganalytics::bench
