// How the server bears a fleet: simulated collectors with real documents, over mTLS, against the real program. See README.md.
//
//   bench_load steady|storm|slow|all --folder FOLDER [--collectors N] [--seconds S] [--interval S] [--slow N] [--json] ...
#include <sys/resource.h>

#include <boost/program_options.hpp>
#include <csignal>
#include <iostream>

#include "core/log/log.h"
#include "tests/bench/load/scenarios.h"

using namespace pganalytics;
using namespace pganalytics::bench;
namespace po = boost::program_options;

namespace {

// A connection is a descriptor here and one in the server, which inherits the limit.
void make_room(unsigned collectors) {
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
  if (limit.rlim_cur < collectors + 512) throw std::runtime_error("ulimit -Hn is too low for so many collectors");
}

po::options_description options() {
  po::options_description all("Options");
  all.add_options()("help", "this text")("scenario", po::value<std::string>()->default_value("steady"),
                                         "steady, storm, slow or all")("folder", po::value<std::string>()->required(),
                                                                       "of the server, kept for the next run")(
      "server", po::value<std::string>()->default_value(LOAD_SERVER), "the server's program")(
      "database", po::value<std::string>()->default_value(""), "its database; empty: a private PostgreSQL")(
      "bin-dir", po::value<std::string>()->default_value(""), "programs of the private PostgreSQL; empty: the newest installed")(
      "connections", po::value<unsigned>()->default_value(8), "of the server to the database")(
      "collectors", po::value<unsigned>()->default_value(10), "how many")("seconds", po::value<double>()->default_value(300),
                                                                          "how long steady and slow take")(
      "interval", po::value<double>()->default_value(10), "seconds between two pushes of a collector")(
      "slow", po::value<unsigned>()->default_value(100), "slow clients of the scenario of that name")("json",
                                                                                                      "a line of JSON each");
  return all;
}

void show(const Outcomes& outcomes, bool json) { json ? print_json(outcomes) : print_table(outcomes); }

void run(const po::variables_map& values) {
  const auto count = values["collectors"].as<unsigned>();
  const std::string folder = values["folder"].as<std::string>(), scenario = values["scenario"].as<std::string>();
  if (count == 0 || (scenario != "steady" && scenario != "storm" && scenario != "slow" && scenario != "all"))
    throw std::runtime_error("no such scenario, or no collector");
  const double seconds = values["seconds"].as<double>(), interval = values["interval"].as<double>();
  const bool json = values.count("json") != 0, is_all = scenario == "all";
  make_room(count);
  const Documents documents(LOAD_SOURCE);
  const Site site({values["server"].as<std::string>(), folder, values["database"].as<std::string>(),
                   values["bin-dir"].as<std::string>(), values["connections"].as<unsigned>()});
  Network network(site.ca_pem(), site.port());
  share_key(network, folder + "/key.pem");
  const std::string file = folder + "/collectors.json";
  const unsigned known = count_of(file);
  std::vector<Identity> identities =
      enrol(network, file, count, known < count ? site.registration_token(count - known) : std::string());
  Scenarios scenarios(network, documents, site, identities);
  scenarios.warm_up();
  if (is_all || scenario == "steady") show(scenarios.steady(seconds, interval), json);
  if (is_all || scenario == "slow") show(scenarios.slow(seconds, interval, values["slow"].as<unsigned>()), json);
  if (is_all || scenario == "storm") show(scenarios.storm(), json);
}

}  // namespace

int main(int argc, char** argv) {
  for (const int signal : {SIGINT, SIGTERM}) std::signal(signal, [](int) { stop_asked = 1; });
  std::signal(SIGPIPE, SIG_IGN);  // OpenSSL writes to sockets that the server may have closed
  log::set_level(log::Level::kWarn);
  try {
    po::positional_options_description words;
    words.add("scenario", 1);
    po::variables_map values;
    po::store(po::command_line_parser(argc, argv).options(options()).positional(words).run(), values);
    if (values.count("help") != 0) return std::cout << options(), 0;
    po::notify(values);
    run(values);
  } catch (const std::exception& error) {
    std::cerr << "error: " << error.what() << "\n";
    return 1;
  }
}
