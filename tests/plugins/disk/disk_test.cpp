// The collector as its host sees it: this machine's own file systems against statvfs and df, and a machine of the test's making.
#include "plugins/disk/disk.h"

#include <rapidjson/document.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <memory>
#include <pganalytics/testhost.hpp>
#include <sstream>
#include <thread>

#include "tests/plugins/alone.h"
#include "tests/plugins/disk/scripted_plugin.h"
#include "tests/support/catch.h"
#include "tests/support/eventually.h"
#include "tests/support/temporary_folder.h"

using namespace pganalytics;
using namespace std::chrono_literals;
using testing::only_document;
namespace fs = std::filesystem;

namespace {

const rapidjson::Value* find(const rapidjson::Value& entries, const char* key, const std::string& wanted) {
  for (const auto& entry : entries.GetArray()) {
    if (entry[key].IsString() && entry[key].GetString() == wanted) return &entry;
  }
  return nullptr;
}

std::string output_of(const std::string& command) {
  std::string text;
  std::array<char, 4096> block{};
  const std::unique_ptr<FILE, int (*)(FILE*)> pipe(popen(command.c_str(), "r"), pclose);
  REQUIRE(pipe);
  while (const std::size_t got = std::fread(block.data(), 1, block.size(), pipe.get())) text.append(block.data(), got);
  return text;
}

// A /proc that the test writes.
class FakeProc {
 public:
  FakeProc() {
    fs::create_directory(folder_ / "self");
    write("self/mountinfo",
          "27 1 8:1 / / rw - ext4 /dev/sda1 rw\n28 27 8:2 / /data rw - xfs /dev/sda2 ro\n29 27 0:50 / /mnt/nfs rw - nfs4 s:/e "
          "rw\n");
    write("diskstats", "8 0 sda 1 2 3 4 5 6 7 8 9 10 11\n8 1 sda1 1 2 3 4 5 6 7 8 9 10 11\n");
  }
  void write(const std::string& file, const std::string& text) const { std::ofstream(folder_ / file) << text; }
  void remove(const std::string& file) const { fs::remove(folder_ / file); }
  [[nodiscard]] std::string config(const std::string& more = "") const {
    return "{\"proc_path\":\"" + folder_.path() + "\"" + more + "}";
  }

 private:
  testing::TemporaryFolder folder_;
};

// The plugin with a statvfs of the test's making in place of the kernel's: /mnt/nfs answers when it is let.
std::atomic<bool> nfs_answers{false};

int scripted_statvfs(const char* path, disk::StatvfsProbe::Reply* reply) {
  while (std::string(path) == "/mnt/nfs" && !nfs_answers) std::this_thread::sleep_for(1ms);
  if (std::string(path) == "/absent") return errno = ENOENT, -1;
  if (std::string(path) == "/denied") return errno = EACCES, -1;
  reply->usage.f_frsize = 4096;
  reply->usage.f_blocks = 1000;
  reply->usage.f_bfree = 400;
  reply->usage.f_bavail = 350;
  reply->mount_id = std::string(path).rfind("/data", 0) == 0 ? 28 : 27;
  return 0;
}

class ScriptedDisk : public disk::Disk {
 public:
  ScriptedDisk(Host host, std::string_view instance) : Disk(host, instance, scripted_statvfs) {}
};

}  // namespace

TEST_CASE("its schemas are of the dialect, and the defaults it assumes are those it declares") {
  testing::output_schema();
  rapidjson::Document filled;
  filled.Parse(testing::with_defaults());
  CHECK(filled.MemberCount() + 1 == testing::config_schema().top_level_keys().size());  // a password has no default
}

TEST_CASE("a file system has the numbers that statvfs and df give") {
  testing::FakeHost host;
  auto instance = host.create(pga_plugin_v1(PGA_ABI_MINOR));
  REQUIRE(instance.configure("{}"));
  const auto document = only_document(instance.collect());
  // The first one, whichever it is: in a chroot "/" is no mount point.
  REQUIRE_FALSE(document["filesystems"].Empty());
  const auto& filesystem = document["filesystems"][0];
  const std::string mount_point = filesystem["mount_point"].GetString();
  const auto number = [&](const char* key) { return filesystem[key].GetDouble(); };

  struct statvfs now {};
  REQUIRE(::statvfs(mount_point.c_str(), &now) == 0);
  const auto unit = static_cast<double>(now.f_frsize);
  constexpr double kSlack = 1 << 30;  // others write to this disk meanwhile
  CHECK(number("total_bytes") == static_cast<double>(now.f_blocks) * unit);
  CHECK(number("used_bytes") == Approx(static_cast<double>(now.f_blocks - now.f_bfree) * unit).margin(kSlack));
  CHECK(number("available_bytes") == Approx(static_cast<double>(now.f_bavail) * unit).margin(kSlack));
  if (now.f_bfree >= now.f_bavail)
    CHECK(number("total_bytes") == number("used_bytes") + number("reserved_bytes") + number("available_bytes"));
  CHECK(filesystem["growth_bytes_per_second"].IsNull());  // after five minutes
  const std::string mounted = output_of("findmnt -n -o VFS-OPTIONS --target '" + mount_point + "' | tail -1");
  if (!mounted.empty()) CHECK(filesystem["options"].GetString() + std::string("\n") == mounted);

  std::istringstream df(output_of("df --block-size=1 --output=source,fstype,size,used,avail '" + mount_point + "' | tail -1"));
  std::string source, type;
  double size = 0, used = 0, available = 0;
  REQUIRE(df >> source >> type >> size >> used >> available);
  CHECK(filesystem["type"].GetString() == type);
  CHECK(number("total_bytes") == size);
  CHECK(number("used_bytes") == Approx(used).margin(kSlack));
  CHECK(number("available_bytes") == Approx(available).margin(kSlack));
}

TEST_CASE("every real file system is there once, no pseudo one is, and devices agree with the kernel's list") {
  testing::FakeHost host;
  auto instance = host.create(pga_plugin_v1(PGA_ABI_MINOR));
  REQUIRE(instance.configure("{}"));
  const auto document = only_document(instance.collect());
  std::vector<std::string> seen;
  for (const auto& filesystem : document["filesystems"].GetArray()) {
    const std::string type = filesystem["type"].GetString();
    CHECK(type != "proc");
    CHECK(type != "sysfs");
    seen.emplace_back(filesystem["device_number"].GetString());
  }
  std::sort(seen.begin(), seen.end());
  CHECK(std::adjacent_find(seen.begin(), seen.end()) == seen.end());
  for (const auto& device : document["devices"].GetArray()) {
    const std::string name = device["name"].GetString();
    CAPTURE(name);
    const bool is_partition = fs::exists("/sys/class/block/" + name + "/partition");
    CHECK((std::string(device["kind"].GetString()) == "partition") == is_partition);
  }
}

TEST_CASE("a hung mount leaves its own line null with the reason; the others arrive in time, and it heals") {
  const FakeProc proc;
  nfs_answers = false;
  testing::FakeHost host;
  {
    auto instance = host.create(testing::scripted_plugin<ScriptedDisk>());
    REQUIRE(instance.configure(proc.config(R"(,"mount_timeout_ms":50)")));
    for (int run = 0; run < 2; ++run) {
      const auto document = only_document(instance.collect());
      REQUIRE(document["filesystems"].Size() == 3);
      const auto* data = find(document["filesystems"], "mount_point", "/data");
      REQUIRE(data != nullptr);
      CHECK((*data)["total_bytes"].GetUint64() == 4096000);
      CHECK((*data)["used_bytes"].GetUint64() == 4096 * 600);
      CHECK((*data)["read_only"].GetBool());
      const auto* nfs = find(document["filesystems"], "mount_point", "/mnt/nfs");
      REQUIRE(nfs != nullptr);
      CHECK((*nfs)["total_bytes"].IsNull());
      CHECK((*nfs)["available_bytes"].IsNull());
      const auto* reason = find(document["errors"], "mount_point", "/mnt/nfs");
      REQUIRE(reason != nullptr);
      CHECK(std::string((*reason)["code"].GetString()) == "disk.hung");
    }
    nfs_answers = true;
    CHECK(testing::eventually([&] {
      const auto document = only_document(instance.collect());
      return (*find(document["filesystems"], "mount_point", "/mnt/nfs"))["total_bytes"].IsUint64();
    }));
  }
}

TEST_CASE("directories are told with the file system that they lie on") {
  const FakeProc proc;
  nfs_answers = true;
  testing::FakeHost host;
  auto instance = host.create(testing::scripted_plugin<ScriptedDisk>());
  REQUIRE(instance.configure(proc.config(R"(,"directories":{"wal":"/data/pg/pg_wal","gone":"/absent"})")));
  const auto document = only_document(instance.collect());
  const auto* wal = find(document["directories"], "name", "wal");
  REQUIRE(wal != nullptr);
  CHECK(std::string((*wal)["mount_point"].GetString()) == "/data");
  CHECK((*wal)["available_bytes"].GetUint64() == 4096 * 350);
  const auto* gone = find(document["directories"], "name", "gone");
  REQUIRE(gone != nullptr);
  CHECK((*gone)["available_bytes"].IsNull());
  CHECK(find(document["errors"], "mount_point", "/absent") != nullptr);
  const Outcome refused = instance.configure(proc.config(R"(,"directories":{"wal":"pg_wal"})"));
  CHECK_FALSE(refused);
}

TEST_CASE("a directory behind folders that we may not pass says what would help") {
  const FakeProc proc;
  nfs_answers = true;
  testing::FakeHost host;
  auto instance = host.create(testing::scripted_plugin<ScriptedDisk>());
  REQUIRE(instance.configure(proc.config(R"(,"directories":{"data":"/denied"})")));
  const auto document = only_document(instance.collect());
  const auto* reason = find(document["errors"], "mount_point", "/denied");
  REQUIRE(reason != nullptr);
  CHECK_THAT((*reason)["hint"].GetString(), Catch::Contains("user = \"postgres\""));
  CHECK_FALSE(reason->HasMember("optional"));  // somebody has named it
}

TEST_CASE("a directory has the latency of the device below it, and names its disks") {
  const FakeProc proc;
  nfs_answers = true;
  testing::FakeHost host;
  auto instance = host.create(testing::scripted_plugin<ScriptedDisk>());
  proc.write("diskstats",
             "8 0 sda 100 0 0 0 100 0 0 0 0 0 0\n8 1 sda1 10 0 0 100 0 0 0 0 0 0 0\n8 2 sda2 90 0 0 900 100 0 0 500 0 0 0 "
             "0 0 0 0 5 50\n");
  REQUIRE(instance.configure(proc.config(R"(,"directories":{"wal":"/data/pg/pg_wal"},"exclude_devices":["sda2"])")));
  const auto first = only_document(instance.collect());
  CHECK((*find(first["directories"], "name", "wal"))["write_await_ms"].IsNull());
  CHECK(std::string((*find(first["filesystems"], "mount_point", "/"))["block_device"].GetString()) == "sda1");
  CHECK((*find(first["filesystems"], "mount_point", "/mnt/nfs"))["block_device"].IsNull());

  proc.write("diskstats",
             "8 0 sda 100 0 0 0 100 0 0 0 0 0 0\n8 1 sda1 20 0 0 180 0 0 0 0 0 0 0\n8 2 sda2 90 0 0 900 120 0 0 560 0 0 0 "
             "0 0 0 0 7 80\n");
  const auto second = only_document(instance.collect());
  const auto* wal = find(second["directories"], "name", "wal");
  REQUIRE(wal != nullptr);
  CHECK(std::string((*wal)["block_device"].GetString()) == "sda2");
  CHECK(std::string((*wal)["disks"].GetString()) == "sda");
  CHECK((*wal)["write_await_ms"].GetDouble() == 3.0);
  CHECK((*wal)["flush_await_ms"].GetDouble() == 15.0);
  CHECK((*wal)["read_await_ms"].IsNull());
  CHECK((*find(second["devices"], "name", "sda1"))["read_await_ms"].GetDouble() == 8.0);
  CHECK(find(second["devices"], "name", "sda2") == nullptr);  // left out, not forgotten
}

TEST_CASE("the kernel tells the mount of a directory, wherever a symbolic link leads") {
  testing::FakeHost host;
  const testing::TemporaryFolder folder;
  fs::create_directory_symlink("/proc", folder / "link");
  auto instance = host.create(pga_plugin_v1(PGA_ABI_MINOR));
  REQUIRE(instance.configure("{\"directories\":{\"root\":\"/\",\"link\":\"" + folder / "link" + "\"}}"));
  const auto document = only_document(instance.collect());
  const auto* root = find(document["directories"], "name", "root");
  REQUIRE(root != nullptr);
  CHECK((*root)["total_bytes"].IsUint64());
  if (find(document["filesystems"], "mount_point", "/") != nullptr) CHECK(std::string((*root)["mount_point"].GetString()) == "/");
  const auto* link = find(document["directories"], "name", "link");
  REQUIRE(link != nullptr);
  CHECK((*link)["mount_point"].IsNull());  // /proc is no file system that is told
}

TEST_CASE("cancel ends the wait for a hung mount and drops the run") {
  const FakeProc proc;
  nfs_answers = false;
  testing::FakeHost host;
  auto instance = host.create(testing::scripted_plugin<ScriptedDisk>());
  REQUIRE(instance.configure(proc.config(R"(,"mount_timeout_ms":60000)")));
  instance.cancel();
  const auto begin = std::chrono::steady_clock::now();
  const auto result = instance.collect();
  CHECK(result.status == PGA_E_DEADLINE);
  CHECK(result.documents.empty());
  CHECK(std::chrono::steady_clock::now() - begin < 5s);
  nfs_answers = true;
}

TEST_CASE("a deadline nearer than mount_timeout_ms is kept: the document arrives before it") {
  const FakeProc proc;
  nfs_answers = false;
  testing::FakeHost host;
  auto instance = host.create(testing::scripted_plugin<ScriptedDisk>());
  REQUIRE(instance.configure(proc.config(R"(,"mount_timeout_ms":60000)")));
  testing::CollectOptions options;
  options.timeout = 1500ms;
  CHECK(only_document(instance.collect(options))["filesystems"].Size() == 3);
  nfs_answers = true;
}

TEST_CASE("one of the two sources missing is told; both missing fails the run") {
  const FakeProc proc;
  nfs_answers = true;
  testing::FakeHost host;
  auto instance = host.create(testing::scripted_plugin<ScriptedDisk>());
  REQUIRE(instance.configure(proc.config()));
  proc.remove("diskstats");
  const auto document = only_document(instance.collect());
  CHECK(document["filesystems"].Size() == 3);
  CHECK(document["devices"].Size() == 0);
  REQUIRE(document["errors"].Size() == 1);
  CHECK(std::string(document["errors"][0]["part"].GetString()) == "devices");
  proc.remove("self/mountinfo");
  const auto result = instance.collect();
  CHECK(result.status == PGA_E_FAIL);
  CHECK(result.error_code == "proc.unreadable");
}

TEST_CASE("filters of the configuration reach file systems and devices, and change live") {
  const FakeProc proc;
  nfs_answers = true;
  testing::FakeHost host;
  auto instance = host.create(testing::scripted_plugin<ScriptedDisk>());
  REQUIRE(instance.configure(
      proc.config(R"(,"exclude_types":["nfs*"],"exclude_mount_points":["/data"],"exclude_devices":["sda?"])")));
  const auto document = only_document(instance.collect());
  REQUIRE(document["filesystems"].Size() == 1);
  CHECK(std::string(document["filesystems"][0]["mount_point"].GetString()) == "/");
  REQUIRE(document["devices"].Size() == 1);
  CHECK(std::string(document["devices"][0]["name"].GetString()) == "sda");
  REQUIRE(instance.configure(proc.config()));
  CHECK(only_document(instance.collect())["filesystems"].Size() == 3);
}

TEST_CASE("a configuration that is wrong is refused with its key and the one before stays") {
  const FakeProc proc;
  nfs_answers = true;
  testing::FakeHost host;
  auto instance = host.create(testing::scripted_plugin<ScriptedDisk>());
  REQUIRE(instance.configure(proc.config()));
  const std::pair<const char*, const char*> kWrong[] = {{R"({"proc_path":"/nowhere"})", "proc_path"},
                                                        {R"({"mount_timeout_ms":0})", "mount_timeout_ms"},
                                                        {R"({"exclude_types":"nfs"})", "exclude_types"},
                                                        {R"({"include_types":[7]})", "include_types"},
                                                        {"[]", "configuration"},
                                                        {"nonsense", "configuration"}};
  for (const auto& [text, key] : kWrong) {
    CAPTURE(text);
    const auto outcome = instance.configure(text);
    REQUIRE_FALSE(outcome);
    CHECK(outcome.error().status == PGA_E_CONFIG);
    CHECK(outcome.error().message.find(key) != std::string::npos);
  }
  REQUIRE(instance.configure("{}", true));  // a dry run changes nothing
  CHECK(only_document(instance.collect())["filesystems"].Size() == 3);
}

TEST_CASE("a mount point with a name that is not UTF-8 still makes a document") {
  const FakeProc proc;
  nfs_answers = true;
  proc.write("self/mountinfo", "27 1 8:1 / /caf\xE9\\040x rw - ext4 /dev/sda1 rw\n");
  testing::FakeHost host;
  auto instance = host.create(testing::scripted_plugin<ScriptedDisk>());
  REQUIRE(instance.configure(proc.config()));
  const auto document = only_document(instance.collect());
  CHECK(std::string(document["filesystems"][0]["mount_point"].GetString()) == "/caf\xEF\xBF\xBD x");
}

TEST_CASE("more than a document holds is cut and told") {
  const FakeProc proc;
  nfs_answers = true;
  std::string mounts, devices;
  for (int i = 0; i < 600; ++i) {
    const std::string number = std::to_string(i);
    mounts += std::to_string(100 + i) + " 1 8:" + number + " / /m" + number + " rw - ext4 /dev/x rw\n";
  }
  for (int i = 0; i < 1100; ++i) devices += "8 " + std::to_string(i) + " dm-" + std::to_string(i) + " 1 2 3 4 5 6 7 8 9 10 11\n";
  proc.write("self/mountinfo", mounts);
  proc.write("diskstats", devices);
  testing::FakeHost host;
  auto instance = host.create(testing::scripted_plugin<ScriptedDisk>());
  REQUIRE(instance.configure(proc.config()));
  const auto document = only_document(instance.collect());
  CHECK(document["filesystems"].Size() == 512);
  CHECK(document["devices"].Size() == 1024);
  std::string told;
  for (const auto& error : document["errors"].GetArray()) {
    if (std::string(error["code"].GetString()) == "disk.limit") told += error["message"].GetString();
  }
  CHECK(document["errors"].Size() == 2);
  CHECK(told.find("88 more filesystems") != std::string::npos);
  CHECK(told.find("76 more devices") != std::string::npos);
}
