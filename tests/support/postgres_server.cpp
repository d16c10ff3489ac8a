// See the header. Plain libpq and plain processes here: the fixture must not depend on what it helps to test.
#include "tests/support/postgres_server.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <glob.h>
#include <grp.h>
#include <libpq-fe.h>
#include <netinet/in.h>
#include <pwd.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <thread>

namespace pganalytics::testing {

namespace {

using Clock = std::chrono::steady_clock;
constexpr auto kPatience = std::chrono::seconds(60);
constexpr auto kPollEvery = std::chrono::milliseconds(10);

struct Account {
  uid_t uid;
  gid_t gid;
};

// PostgreSQL refuses to run as root.
Account server_account() {
  if (geteuid() != 0) return {geteuid(), getegid()};
  const passwd* const entry = getpwnam("postgres");
  if (entry == nullptr) throw std::runtime_error("running as root, and there is no user 'postgres' to run PostgreSQL as");
  return {entry->pw_uid, entry->pw_gid};
}

// In memory where there is plenty: a database is made there in a sixth of the time. Containers mostly have 64 MiB.
std::filesystem::path cluster_parent() {
  constexpr std::uintmax_t kPlenty = std::uintmax_t{4} << 30;
  const std::filesystem::path memory = "/dev/shm";
  std::error_code ignored;
  const auto space = std::filesystem::space(memory, ignored);
  const bool plenty = !ignored && space.available >= kPlenty && access(memory.c_str(), W_OK) == 0;
  return plenty ? memory : std::filesystem::temp_directory_path();
}

std::string installed_binaries() {
  if (const char* const folder = std::getenv("PGANALYTICS_TEST_PG_BIN")) return folder;
  glob_t found{};
  std::string newest;
  int newest_major = 0;
  if (glob("/usr/lib/postgresql/*/bin", 0, nullptr, &found) == 0) {
    for (std::size_t i = 0; i < found.gl_pathc; ++i) {
      const int major = std::atoi(found.gl_pathv[i] + std::strlen("/usr/lib/postgresql/"));
      if (major <= newest_major) continue;
      newest_major = major;
      newest = found.gl_pathv[i];
    }
  }
  globfree(&found);
  if (newest.empty()) throw std::runtime_error("no PostgreSQL server in /usr/lib/postgresql/*/bin; set PGANALYTICS_TEST_PG_BIN");
  return newest;
}

int free_port() {
  const int probe = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof address;
  const bool found = bind(probe, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0 &&
                     getsockname(probe, reinterpret_cast<sockaddr*>(&address), &length) == 0;
  close(probe);
  if (!found) throw std::runtime_error("no free port on loopback");
  return ntohs(address.sin_port);
}

// The child's life between fork and exec: async-signal-safe calls only.
[[noreturn]] void become(const Account& account, const char* output, char* const* arguments, char* const* environment) {
  if (geteuid() == 0 && (setgroups(0, nullptr) != 0 || setgid(account.gid) != 0 || setuid(account.uid) != 0)) _exit(126);
  setpgid(0, 0);                     // a Ctrl-C for the tests is not one for the server: the fixture stops it in order
  prctl(PR_SET_PDEATHSIG, SIGQUIT);  // no server outlives a test program that was killed
  const int log = open(output, O_WRONLY | O_CREAT | O_APPEND, 0600);
  const int nothing = open("/dev/null", O_RDONLY);
  if (log < 0 || nothing < 0) _exit(126);
  dup2(nothing, STDIN_FILENO);
  dup2(log, STDOUT_FILENO);
  dup2(log, STDERR_FILENO);
  execve(arguments[0], arguments, environment);
  _exit(127);
}

pid_t spawn(const std::vector<std::string>& command, const std::string& output) {
  const Account account = server_account();
  std::vector<char*> arguments;
  for (const std::string& word : command) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  char path[] = "PATH=/usr/bin:/bin";
  char locale[] = "LC_ALL=C.UTF-8";
  char zone[] = "TZ=UTC";
  char* environment[] = {path, locale, zone, nullptr};
  const pid_t child = fork();
  if (child < 0) throw std::runtime_error("fork: " + std::string(std::strerror(errno)));
  if (child == 0) become(account, output.c_str(), arguments.data(), environment);
  return child;
}

bool succeeds(const std::vector<std::string>& command, const std::string& output) {
  const pid_t child = spawn(command, output);
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) continue;
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

// The binaries where the server's account can run them. A checkout below /root is closed to it: there they are copied out.
std::string usable_binaries(const std::string& folder) {
  const std::string installed = installed_binaries();
  if (access((installed + "/postgres").c_str(), X_OK) != 0) throw std::runtime_error("no PostgreSQL server in " + installed);
  if (succeeds({installed + "/postgres", "--version"}, "/dev/null")) return installed;
  const std::string copy = folder + "/postgresql";
  std::filesystem::copy(std::filesystem::canonical(installed).parent_path(), copy,
                        std::filesystem::copy_options::recursive | std::filesystem::copy_options::copy_symlinks);
  return copy + "/bin";
}

}  // namespace

PostgresServer::PostgresServer(const Settings& settings) : settings_(settings), cluster_(cluster_parent()), port_(free_port()) {
  make_folders();
  run_initdb();
  write_configuration();
  start();
}

PostgresServer::PostgresServer(const StandbyOf& origin)
    : settings_(origin.primary.settings_), cluster_(cluster_parent()), port_(free_port()) {
  make_folders();
  origin.primary.stop();
  const bool copied = succeeds({"/bin/cp", "-R", "-p", origin.primary.data_dir(), data_dir()}, folder_ / "server.log");
  origin.primary.start();
  if (!copied) throw std::runtime_error("copying the primary failed: " + log_tail());
  write_configuration();
  std::ofstream(data_dir() + "/postgresql.auto.conf", std::ios::app)
      << "primary_conninfo = 'host=" << origin.primary.socket_dir() << " port=" << origin.primary.port() << " user=postgres'\n";
  std::ofstream(data_dir() + "/standby.signal");
  start();
}

void PostgresServer::make_folders() {
  const Account account = server_account();
  for (const std::string& path : {folder_.path(), cluster_.path()}) {
    if (geteuid() == 0 && chown(path.c_str(), account.uid, account.gid) != 0) {
      throw std::runtime_error("chown " + path + ": " + std::strerror(errno));
    }
    chmod(path.c_str(), 0755);  // the socket and the log lie in here; the data folder guards itself
  }
  binaries_ = usable_binaries(folder_.path());
}

PostgresServer::~PostgresServer() {
  try {
    stop();
  } catch (const std::exception&) {  // nothing to tell it to; stop() has killed what it could
  }
}

void PostgresServer::run_initdb() {
  std::vector<std::string> initdb = {binaries_ + "/initdb", "-D", data_dir(), "-U", "postgres"};
  for (const char* const option : {"--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync", "--no-instructions"}) {
    initdb.emplace_back(option);
  }
  if (!succeeds(initdb, folder_ / "server.log")) throw std::runtime_error("initdb failed: " + log_tail());
}

void PostgresServer::write_configuration() const {
  std::ofstream file(data_dir() + "/postgresql.auto.conf");
  file << "unix_socket_directories = '" << folder_.path() << "'\nlisten_addresses = ''\nport = " << port_
       << "\nfsync = off\nshared_buffers = 16MB\nmax_connections = 30\nmax_wal_size = 128MB\n"
          "dynamic_shared_memory_type = mmap\n";  // /dev/shm is tiny in containers
  for (const auto& [name, value] : settings_) file << name << " = '" << value << "'\n";
  if (!file.flush()) throw std::runtime_error("writing postgresql.auto.conf in " + data_dir());
}

void PostgresServer::start() {
  postmaster_ = spawn({binaries_ + "/postgres", "-D", data_dir()}, folder_ / "server.log");
  wait_until_ready();
}

void PostgresServer::wait_until_ready() const {
  const std::string target = conninfo() + " connect_timeout=2";
  for (const auto give_up = Clock::now() + kPatience; Clock::now() < give_up; std::this_thread::sleep_for(kPollEvery)) {
    if (PQping(target.c_str()) == PQPING_OK) return;
    if (waitpid(postmaster_, nullptr, WNOHANG) == postmaster_) break;
  }
  throw std::runtime_error("PostgreSQL did not start: " + log_tail());
}

void PostgresServer::stop(bool fast) {
  if (postmaster_ < 0) return;
  kill(postmaster_, fast ? SIGINT : SIGQUIT);
  const auto give_up = Clock::now() + kPatience;
  while (waitpid(postmaster_, nullptr, WNOHANG) == 0) {
    if (Clock::now() > give_up) {
      kill(-postmaster_, SIGKILL);
      while (waitpid(postmaster_, nullptr, 0) < 0 && errno == EINTR) continue;
      postmaster_ = -1;
      throw std::runtime_error("PostgreSQL did not stop and was killed: " + log_tail());
    }
    std::this_thread::sleep_for(kPollEvery);
  }
  postmaster_ = -1;
}

void PostgresServer::reload() {
  const std::string before = value("postgres", "SELECT pg_conf_load_time()");
  sql("postgres", "SELECT pg_reload_conf()");
  for (const auto give_up = Clock::now() + kPatience; Clock::now() < give_up; std::this_thread::sleep_for(kPollEvery)) {
    if (value("postgres", "SELECT pg_conf_load_time()") != before) return;
  }
  throw std::runtime_error("PostgreSQL did not reload its configuration");
}

void PostgresServer::set_hba(const std::string& text) {
  // The superuser keeps its way in, else nobody could call value() or reload() any more.
  std::ofstream file(data_dir() + "/pg_hba.conf", std::ios::trunc);
  file << "local all postgres trust\n" << text << "\n";
  file.close();
  reload();
}

std::string PostgresServer::conninfo(const std::string& dbname, const std::string& user) const {
  return "host=" + folder_.path() + " port=" + std::to_string(port_) + " user=" + user + " dbname=" + dbname;
}

std::string PostgresServer::log_file() const {
  std::ifstream current(data_dir() + "/current_logfiles");
  std::string kind;
  std::string path;
  if (!(current >> kind >> path)) return folder_ / "server.log";
  return path[0] == '/' ? path : data_dir() + "/" + path;
}

PostgresServer& PostgresServer::shared() {
  static PostgresServer server;
  return server;
}

std::string PostgresServer::new_database() const {
  static int count = 0;
  const std::string name = "test_" + std::to_string(++count);
  sql("postgres", "CREATE DATABASE " + name);
  return name;
}

void PostgresServer::settle_statistics(const std::string& dbname) const {
  // A session hands them over when it ends, after its client has left. Up to PostgreSQL 14 a process collects them in files that
  // may be half a second old; pg_stat_get_snapshot_timestamp() says how old, and is NULL since.
  sql(dbname, R"(DO $$
DECLARE
  ended timestamptz;
BEGIN
  FOR attempt IN 1..6000 LOOP
    PERFORM pg_stat_clear_snapshot();
    IF ended IS NULL AND NOT EXISTS (SELECT FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()) THEN
      ended := clock_timestamp();
    END IF;
    IF ended IS NOT NULL AND COALESCE(pg_stat_get_snapshot_timestamp() > ended, true) THEN
      RETURN;
    END IF;
    PERFORM pg_sleep(0.01);
  END LOOP;
  RAISE 'statistics do not settle: sessions are open';
END $$)");
}

std::string PostgresServer::value(const std::string& dbname, const std::string& sql) const {
  const std::unique_ptr<PGconn, void (*)(PGconn*)> connection(PQconnectdb(conninfo(dbname).c_str()), &PQfinish);
  const std::unique_ptr<PGresult, void (*)(PGresult*)> result(PQexec(connection.get(), sql.c_str()), &PQclear);
  const ExecStatusType status = PQresultStatus(result.get());
  if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK) {
    throw std::runtime_error(sql + ": " + PQerrorMessage(connection.get()));
  }
  if (PQntuples(result.get()) == 0) return "";
  return PQgetvalue(result.get(), 0, 0);
}

std::string PostgresServer::log_tail() const {
  std::ifstream file(log_file());
  std::stringstream text;
  text << file.rdbuf();
  constexpr std::size_t kEnough = 2000;
  const std::string whole = text.str();
  return whole.size() > kEnough ? whole.substr(whole.size() - kEnough) : whole;
}

}  // namespace pganalytics::testing
