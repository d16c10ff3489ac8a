// Where a real server keeps its files: found through it, told with the file systems they lie on. On each major.
#include <rapidjson/document.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <pganalytics/testhost.hpp>
#include <pganalytics/text.hpp>
#include <sstream>
#include <string>

#include "core/postgres/connection.h"
#include "plugins/disk/disk.h"
#include "tests/plugins/alone.h"
#include "tests/plugins/disk/scripted_plugin.h"
#include "tests/support/catch.h"
#include "tests/support/must.h"
#include "tests/support/postgres_server.h"
#include "tests/support/temporary_folder.h"

using namespace pganalytics;
using namespace std::chrono_literals;
using testing::only_document;
using testing::PostgresServer;
namespace fs = std::filesystem;

namespace {

const rapidjson::Value& named(const rapidjson::Document& document, const std::string& name) {
  INFO(name);
  if (document.HasMember("directories")) {
    for (const auto& directory : document["directories"].GetArray()) {
      if (directory["name"].GetString() == name) return directory;
    }
  }
  FAIL("no such directory");
  return document;
}

std::string errors_of(const rapidjson::Document& document) {
  std::string text;
  for (const auto& error : document["errors"].GetArray()) {
    text += std::string(error["code"].GetString()) + ": " + error["message"].GetString() + "\n";
    if (error.HasMember("hint")) text += std::string("HINT: ") + error["hint"].GetString() + "\n";
  }
  return text;
}

// A server with a role that may monitor and no more; and the plugin that asks it.
class Asking {
 public:
  explicit Asking(const PostgresServer& server, const std::string& more = "", const std::string& user = "monitor",
                  const pga_plugin* plugin = pga_plugin_v1(PGA_ABI_MINOR))
      : instance_(host_.create(plugin)) {
    const Outcome configured = instance_.configure(
        testing::with_defaults(R"({"exclude_types":[],"conninfo":")" + server.conninfo("postgres", user) + "\"" + more + "}"));
    INFO((configured ? "" : configured.error().message));
    REQUIRE(configured);
  }
  rapidjson::Document collect() { return only_document(instance_.collect({20s})); }

 private:
  testing::FakeHost host_;
  testing::Instance instance_;
};

void make_roles(const PostgresServer& server) {
  server.sql("postgres", "CREATE ROLE monitor LOGIN IN ROLE pg_monitor; CREATE ROLE nobody_special LOGIN");
}

// The plugin of a user who may not pass the server's data directory, as most are.
int statvfs_of_others(const char* path, disk::StatvfsProbe::Reply* reply) {
  if (std::string(path).find("/pg_wal") != std::string::npos) return errno = EACCES, -1;
  return disk::StatvfsProbe::ask_kernel(path, reply);
}

class DiskOfOthers : public disk::Disk {
 public:
  DiskOfOthers(Host host, std::string_view instance) : Disk(host, instance, statvfs_of_others) {}
};

// Folders of a server's own user, where everybody may pass.
std::string server_folder(const testing::TemporaryFolder& folder, const PostgresServer& server, const std::string& name) {
  const std::string path = folder / name;
  fs::create_directory(path);
  fs::permissions(folder.path(), fs::perms::all);
  struct stat owner {};
  REQUIRE(::stat(server.data_dir().c_str(), &owner) == 0);
  if (::geteuid() == 0) REQUIRE(::chown(path.c_str(), owner.st_uid, owner.st_gid) == 0);
  return path;
}

}  // namespace

TEST_CASE("data, WAL and temporary files name themselves, with the sizes that the server counts") {
  const PostgresServer server;
  make_roles(server);
  Asking disk(server);
  const auto document = disk.collect();
  INFO(errors_of(document));
  const auto& data = named(document, "data");
  CHECK(data["path"].GetString() == server.data_dir());
  CHECK(std::string(data["source"].GetString()) == "server");
  CHECK(data["total_bytes"].GetUint64() > 0);
  CHECK(data["mount_point"].IsString());
  CHECK(data["size_bytes"].IsNull());

  const auto& wal = named(document, "wal");
  CHECK(wal["path"].GetString() == server.data_dir() + "/pg_wal");
  std::uint64_t files = 0, bytes = 0;
  if (::geteuid() == 0) {  // who may look there
    for (const auto& entry : fs::directory_iterator(server.data_dir() + "/pg_wal")) {
      if (!entry.is_regular_file()) continue;
      ++files;
      bytes += entry.file_size();
    }
    CHECK(wal["files"].GetUint64() == files);
    CHECK(wal["size_bytes"].GetUint64() == bytes);
    CHECK(wal["total_bytes"].GetUint64() > 0);
  }
  CHECK(wal["size_bytes"].GetUint64() >= 16 << 20);
  CHECK(named(document, "temp")["size_bytes"].GetUint64() == 0);
  CHECK(document["directories"].Size() == 3);  // no log of its own, no tablespaces

  // Not asked again so soon: the places stay, what was counted is of another moment.
  server.sql("postgres", "ALTER ROLE monitor NOLOGIN");
  const auto later = disk.collect();
  CHECK(named(later, "wal")["path"].GetString() == server.data_dir() + "/pg_wal");
  CHECK(named(later, "wal")["size_bytes"].IsNull());
  CHECK(later["errors"].Size() == document["errors"].Size());
}

TEST_CASE("tablespaces, a log of its own and a place for temporary files are named too") {
  const PostgresServer server(PostgresServer::Settings{{"logging_collector", "on"}, {"log_directory", "written here"}});
  make_roles(server);
  const testing::TemporaryFolder folder;
  const std::string fast = server_folder(folder, server, "fast"), scratch = server_folder(folder, server, "scratch");
  server.sql("postgres", "CREATE TABLESPACE fast LOCATION '" + fast + "'");
  server.sql("postgres", "CREATE TABLESPACE \"Scratch, \"\"1\"\"\" LOCATION '" + scratch + "'");
  server.sql("postgres", "ALTER ROLE monitor SET temp_tablespaces = fast, \"Scratch, \"\"1\"\"\"");
  const auto document = Asking(server).collect();
  INFO(errors_of(document));
  CHECK(named(document, "tablespace fast")["path"].GetString() == fast);
  CHECK(named(document, "tablespace fast")["total_bytes"].GetUint64() > 0);
  CHECK(named(document, "tablespace Scratch, \"1\"")["path"].GetString() == scratch);
  CHECK(named(document, "temp fast")["path"].GetString() == fast);
  CHECK(named(document, "temp Scratch, \"1\"")["size_bytes"].GetUint64() == 0);
  CHECK(named(document, "log")["path"].GetString() == server.data_dir() + "/written here");
}

TEST_CASE("temporary files are counted while they are there") {
  const PostgresServer server;
  make_roles(server);
  auto session = testing::must(postgres::Connection::open(server.conninfo(), {}, postgres::deadline_in(30s)));
  testing::must(
      session.execute("SET work_mem = '64kB'; BEGIN; DECLARE c CURSOR FOR SELECT g FROM generate_series(1, 500000) g "
                      "ORDER BY -g; FETCH 1 FROM c",
                      postgres::deadline_in(30s)));
  const auto& document = Asking(server).collect();
  CHECK(named(document, "temp")["files"].GetUint64() >= 1);
  CHECK(named(document, "temp")["size_bytes"].GetUint64() > 1 << 20);
}

namespace {

// Not so behind a chroot(2) into a plain folder: the kernel does not list what it lies on.
bool is_root_a_mount() {
  std::ifstream mounts("/proc/self/mountinfo");
  std::string line;
  while (std::getline(mounts, line)) {
    std::istringstream fields(line);
    std::string id, parent, device, root, mount_point;
    fields >> id >> parent >> device >> root >> mount_point;
    if (mount_point == "/") return true;
  }
  return false;
}

}  // namespace

TEST_CASE("WAL behind a symbolic link is told with the file system that it really lies on") {
  if (::geteuid() != 0) return;  // nobody else may pass the data directory
  PostgresServer server;
  make_roles(server);
  struct stat owner {};
  REQUIRE(::stat(server.data_dir().c_str(), &owner) == 0);
  const auto is_elsewhere = [&](const char* path) {
    struct stat folder {};
    return ::stat(path, &folder) == 0 && folder.st_dev != owner.st_dev;
  };
  if (!is_root_a_mount()) {
    WARN("skipped: in a root that is no mount of its own nothing is known of what /var/tmp lies on");
    return;
  }
  const char* const other = is_elsewhere("/var/tmp") ? "/var/tmp" : "/dev/shm";
  if (!is_elsewhere(other)) {
    WARN("skipped: the server's data, /var/tmp and /dev/shm are one file system");
    return;
  }
  const testing::TemporaryFolder elsewhere(other);
  const std::string moved = server_folder(elsewhere, server, "wal");
  server.stop();
  const std::string wal = server.data_dir() + "/pg_wal";
  fs::copy(wal, moved, fs::copy_options::recursive);
  fs::remove_all(wal);
  for (const auto& entry : fs::recursive_directory_iterator(moved)) {
    REQUIRE(::chown(entry.path().c_str(), owner.st_uid, owner.st_gid) == 0);
    fs::permissions(entry.path(), fs::perms::group_all | fs::perms::others_all, fs::perm_options::remove);
  }
  fs::permissions(moved, fs::perms::group_all | fs::perms::others_all, fs::perm_options::remove);
  fs::create_directory_symlink(moved, wal);
  server.start();
  const auto document = Asking(server).collect();
  INFO(errors_of(document));
  REQUIRE(named(document, "wal")["mount_point"].IsString());
  CHECK(named(document, "wal")["mount_point"] != named(document, "data")["mount_point"]);
  struct stat mounted {};
  REQUIRE(::stat(named(document, "wal")["mount_point"].GetString(), &mounted) == 0);
  CHECK(mounted.st_dev != owner.st_dev);
}

TEST_CASE("WAL that we may not pass to is told with its size, and what is missing is optional") {
  const PostgresServer server;
  make_roles(server);
  const auto document = Asking(server, "", "monitor", testing::scripted_plugin<DiskOfOthers>()).collect();
  CHECK(named(document, "wal")["total_bytes"].IsNull());
  CHECK(named(document, "wal")["size_bytes"].GetUint64() >= 16 << 20);
  for (const auto& error : document["errors"].GetArray()) {
    if (std::string(error["part"].GetString()) != "directories") continue;
    CHECK(error["optional"].GetBool());
    CHECK_THAT(error["hint"].GetString(), Catch::Contains("directories.wal"));
  }
  CHECK_THAT(errors_of(document), Catch::Contains("Permission denied"));
}

TEST_CASE("what the configuration names takes the place of what the server says, and keeps its sizes") {
  const PostgresServer server;
  make_roles(server);
  const auto document = Asking(server, R"(,"directories":{"wal":"/","mine":"/"})").collect();
  CHECK(std::string(named(document, "wal")["path"].GetString()) == "/");
  CHECK(std::string(named(document, "wal")["source"].GetString()) == "configuration");
  CHECK(named(document, "wal")["size_bytes"].GetUint64() >= 16 << 20);
  CHECK(std::string(named(document, "mine")["source"].GetString()) == "configuration");
  CHECK(std::string(named(document, "data")["source"].GetString()) == "server");
}

TEST_CASE("a role that may not look is told which GRANT it lacks; file systems arrive all the same") {
  const PostgresServer server;
  make_roles(server);
  const auto document = Asking(server, "", "nobody_special").collect();
  CHECK_FALSE(document.HasMember("directories"));
  CHECK_THAT(errors_of(document), Catch::Contains("42501") && Catch::Contains("GRANT pg_monitor"));
  CHECK(document["filesystems"].Size() > 0);
}

TEST_CASE("a server that is down is told, what it said before stays, and it is asked again when it is back") {
  PostgresServer server;
  make_roles(server);
  Asking disk(server, R"(,"server_interval":"1ms")");
  CHECK(named(disk.collect(), "wal")["size_bytes"].IsUint64());
  server.stop();
  const auto down = disk.collect();
  CHECK_THAT(errors_of(down), Catch::Contains("pg.connect"));
  CHECK(named(down, "data")["total_bytes"].GetUint64() > 0);
  CHECK(named(down, "wal")["size_bytes"].IsNull());
  server.start();
  const auto up = disk.collect();
  CHECK(errors_of(up).find("pg.connect") == std::string::npos);
  CHECK(named(up, "wal")["size_bytes"].IsUint64());
}

TEST_CASE("a server whose process this /proc does not show is elsewhere: its paths are not looked for") {
  const PostgresServer server;
  make_roles(server);
  const testing::TemporaryFolder proc;
  fs::create_directory(proc / "self");
  std::ofstream(proc / "self/mountinfo") << "27 1 8:1 / / rw - ext4 /dev/sda1 rw\n";
  std::ofstream(proc / "diskstats") << "";
  Asking disk(server, ",\"proc_path\":\"" + proc.path() + "\"");
  const auto document = disk.collect();
  CHECK_FALSE(document.HasMember("directories"));
  CHECK_THAT(errors_of(document), Catch::Contains("disk.elsewhere") && Catch::Contains("no process of PostgreSQL"));
  // An answer as any other: not asked again so soon, and told again.
  server.sql("postgres", "ALTER ROLE monitor NOLOGIN");
  CHECK(errors_of(disk.collect()) == errors_of(document));
}

TEST_CASE("each statement says whose it is, and an error which one it was") {
  const PostgresServer server(PostgresServer::Settings{{"log_statement", "all"}});
  make_roles(server);
  Asking(server).collect();
  const std::string log = testing::must(read_text(server.log_file(), 1 << 20));
  CHECK_THAT(log, Catch::Contains("/* pganalytics:disk/backend */") && Catch::Contains("/* pganalytics:disk/places */"));
  CHECK_THAT(errors_of(Asking(server, "", "nobody_special").collect()), Catch::Contains("disk/places"));
}

TEST_CASE("a secret that is not there is told by its name") {
  const PostgresServer server;
  const auto document = Asking(server, R"(,"password":{"$secret":"absent"})").collect();
  CHECK_THAT(errors_of(document), Catch::Contains("no secret 'absent'"));
}
