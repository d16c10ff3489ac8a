// A damaged spool, read without SQLite. The first byte says what the input is: the database itself, its log, or places and
// bytes that are changed in a good one of each. Every row that is found is bounded, a batch comes once, its body is what it says.
// links: pganalytics::spool
#include "core/spool/damaged_spool.h"
#include "core/spool/spool.h"
#include "tests/fuzz/input_file.h"

#include <cstdint>
#include <fstream>
#include <set>
#include <sstream>
#include <string>

using namespace pganalytics;

namespace {

void require(bool promise) {
  if (!promise) std::abort();
}

std::string read_file(const std::string& path) {
  std::ostringstream content;
  content << std::ifstream(path, std::ios::binary).rdbuf();
  return content.str();
}

struct Good {
  std::string database, log;
};

// A spool beside its running collector.
Good make_good(const std::string& dir) {
  spool::SpoolOptions options;
  options.keep_free_bytes = 0;
  options.collector_id = "11111111-2222-4333-8444-555555555555";
  for (int life = 0; life < 2; ++life) {
    auto opened = spool::Spool::open(dir, options);
    require(static_cast<bool>(opened));
    for (int i = 0; i < 3; ++i) {
      spool::SealedRun run;
      run.plugin = "disk";
      run.documents = {R"({"type":"disk","n":)" + std::to_string(i) + "}"};
      for (std::uint64_t noise = 88172645463325252ULL + static_cast<std::uint64_t>(i);
           run.documents[0].size() < (i == 1 ? 6000U : 200U);) {
        noise ^= noise << 13, noise ^= noise >> 7, noise ^= noise << 17;
        run.documents[0] += std::to_string(noise);
      }
      run.state["cursor"] = std::to_string(i);
      require(static_cast<bool>(opened.value()->seal(std::move(run))));
    }
    if (life == 1) return {read_file(dir + "/spool.db"), read_file(dir + "/spool.db-wal")};
  }
  std::abort();
}

// Three bytes of place, one of value, again and again.
void change(std::string& bytes, std::string_view edits) {
  for (; edits.size() >= 4 && !bytes.empty(); edits.remove_prefix(4)) {
    const std::size_t place = static_cast<unsigned char>(edits[0]) |
                              static_cast<std::size_t>(static_cast<unsigned char>(edits[1])) << 8 |
                              static_cast<std::size_t>(static_cast<unsigned char>(edits[2])) << 16;
    bytes[place % bytes.size()] = edits[3];
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const fuzz::Folder folder;
  static const Good good = make_good(folder.path());
  if (size == 0) return 0;
  const std::string_view input(reinterpret_cast<const char*>(data) + 1, size - 1);
  Good damaged = good;
  switch (data[0] % 4) {
    case 0: damaged = {std::string(input), ""}; break;
    case 1: damaged.log = input; break;
    case 2: change(damaged.database, input); break;
    case 3: change(damaged.log, input); break;
  }
  folder.write("input", damaged.database);
  folder.write("input-wal", damaged.log);
  const spool::FileBytes database(folder.path() + "/input"), log(folder.path() + "/input-wal");
  const spool::Wal wal = spool::read_wal(log);
  require(wal.sound <= wal.committed && wal.committed <= wal.frames.size() &&
          wal.frames.size() <= damaged.log.size() / spool::kPageBytes);
  for (const std::size_t frames : {wal.sound, wal.committed, wal.frames.size()}) {
    const spool::Pages pages(database, log, wal, frames);
    spool::find_rows(pages);
    std::set<spool::BatchKey> keys;
    spool::find_batches(pages, [&](const spool::BatchRow& batch, const std::function<bool(std::string&)>& read_body) {
      require(keys.insert(batch.key).second);
      std::string body;
      if (read_body(body)) require(body.size() == batch.bytes);
    });
  }
  return 0;
}
