#include "tests/bench/load/site.h"

#include <rapidjson/document.h>
#include <signal.h>
#include <sys/wait.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <thread>

#include "core/server/program/child_process.h"
#include "tests/bench/load/figures.h"
#include "tests/support/eventually.h"
#include "tests/support/must.h"

namespace pganalytics::bench {
namespace {

namespace asio = boost::asio;
using tcp = asio::ip::tcp;

std::uint16_t free_port() {
  asio::io_context io;
  return tcp::acceptor(io, tcp::endpoint(asio::ip::address_v4::loopback(), 0)).local_endpoint().port();
}

bool listens(std::uint16_t port) {
  asio::io_context io;
  tcp::socket probe(io);
  boost::system::error_code error;
  probe.connect(tcp::endpoint(asio::ip::address_v4::loopback(), port), error);
  return !error;
}

}  // namespace

std::string read_file(const std::string& path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

Site::Site(SiteOptions options)
    : options_(std::move(options)),
      data_dir_(options_.folder + "/server"),
      configuration_(options_.folder + "/server.toml"),
      port_(free_port()) {
  std::filesystem::create_directories(options_.folder);
  write_configuration();
  start();
}

Site::~Site() { stop(); }

void Site::write_configuration() const {
  std::ofstream file(configuration_);
  file << "[server]\nlisten = \"127.0.0.1:" << port_ << "\"\ndata_dir = \"" << data_dir_
       << "\"\n[database]\nconnections = " << options_.database_connections << "\n";
  if (!options_.database_url.empty()) file << "url = \"" << options_.database_url << "\"\n";
  if (!options_.bin_dir.empty()) file << "bin_dir = \"" << options_.bin_dir << "\"\n";
  // The first pushes of a large fleet take longer than a connection may be idle by default.
  file << "[limits]\nidle_timeout = \"15m\"\nenrol_per_minute = 1000000\nenrol_per_second_in_all = 1000000\n";
  if (!file.flush()) throw std::runtime_error("cannot write " + configuration_);
}

void Site::start() {
  pid_ = testing::must(
      server::program::spawn({options_.binary, "run", "--config", configuration_}, options_.folder + "/server.log"));
  const bool up =
      testing::eventually([this] { return server::program::has_ended(pid_) || listens(port_); }, std::chrono::minutes(2));
  if (up && listens(port_)) return;
  stop();
  throw std::runtime_error("the server does not listen, see " + options_.folder + "/server.log");
}

// It lets requests finish and stops its PostgreSQL; a minute is more than all of that may take.
void Site::stop() const {
  if (kill(pid_, SIGTERM) != 0) return;
  if (testing::eventually([this] { return server::program::has_ended(pid_); }, std::chrono::minutes(1))) return;
  kill(pid_, SIGKILL);
  waitpid(pid_, nullptr, 0);
}

std::string Site::ca_pem() const { return read_file(data_dir_ + "/ca.crt"); }

std::string Site::registration_token(unsigned uses) const {
  const std::string answer = options_.folder + "/token.json";
  std::filesystem::remove(answer);
  const int status = testing::must(server::program::run_to_end(
      {options_.binary, "token", "create", "--uses", std::to_string(uses), "--json", "--config", configuration_}, answer));
  const std::string text = read_file(answer);
  std::filesystem::remove(answer);
  rapidjson::Document json;
  json.Parse(text.data(), text.size());
  if (status != 0 || json.HasParseError() || !json.IsObject() || !json.HasMember("token"))
    throw std::runtime_error("token create: " + text);
  return json["token"].GetString();
}

double Site::database_cpu_s() const {
  const std::string first_line = read_file(data_dir_ + "/postgresql/postmaster.pid");
  return first_line.empty() ? 0 : cpu_of_family(std::atoi(first_line.c_str()));
}

}  // namespace pganalytics::bench
