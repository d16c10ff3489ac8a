// How long whoever seals waits: on a disk that works, and on one that takes two seconds for each write and each sync.
//
//   bench_spool FOLDER [RUNS]     FOLDER: on the disk to be measured; made and removed
//
// References, in the same run: a write of as many bytes with fdatasync() behind it, in the same folder; and the two seconds.
// See README.md.
#include <fcntl.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <random>
#include <type_traits>

#include "core/spool/spool.h"
#include "tests/bench/figures.h"
#include "tests/core/spool/faulty_vfs.h"

using namespace pganalytics;
using namespace pganalytics::bench;

namespace {

constexpr int kSlowDiskMs = 2000;
constexpr int kSlowRounds = 20;

template <class Work>
double ms_of(Work&& work) {
  const auto begin = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begin).count();
}

template <class T>
T must(Expected<T>&& result) {
  if (!result) give_up(result.error().message);
  if constexpr (!std::is_void_v<T>) return std::move(result).value();
}

// A document of `bytes` that does not compress.
std::string document_of(std::size_t bytes) {
  static std::mt19937 random(1);
  std::string noise(bytes, ' ');
  for (char& c : noise) c = static_cast<char>('a' + random() % 26);
  return R"({"type":"bench","timestamp":"2026-02-03T04:05:06.789Z","noise":")" + noise + "\"}";
}

spool::SealedRun run_of(std::size_t bytes) {
  spool::SealedRun run;
  run.plugin = "bench";
  run.documents = {document_of(bytes)};
  run.state["cursor"] = "1";
  return run;
}

spool::SpoolOptions options() {
  spool::SpoolOptions options;
  options.keep_free_bytes = 0;
  options.encoding = compression::Encoding::kIdentity;  // the same bytes as the reference
  return options;
}

void measure_sound_disk(const std::string& folder, std::size_t bytes, int runs) {
  auto spool = must(spool::Spool::open(folder, options()));
  const int fd = ::open((folder + "/reference").c_str(), O_CREAT | O_WRONLY | O_APPEND | O_CLOEXEC, 0600);
  if (fd < 0) give_up("unable to write in " + folder);
  const std::string plain = document_of(bytes);
  std::vector<double> seal, reference, hand_out, acknowledge;
  for (int i = 0; i < runs; ++i) {  // in turns: the disk is the same for both
    auto run = run_of(bytes);
    seal.push_back(ms_of([&] { must(spool->seal(std::move(run))); }));
    std::optional<spool::Batch> batch;
    hand_out.push_back(ms_of([&] { batch = must(spool->next(spool::Lane::kLive)); }));
    acknowledge.push_back(ms_of([&] { must(spool->acknowledge(batch->key)); }));
    reference.push_back(ms_of([&] {
      if (::write(fd, plain.data(), plain.size()) < 0 || ::fdatasync(fd) != 0) give_up("the disk does not take the reference");
    }));
  }
  ::close(fd);
  const std::string size = std::to_string(bytes >> 10) + " KiB";
  show(("seal a run of " + size + ": documents, state, number").c_str(), seal, "ms");
  show("  hand it out: its mark", hand_out, "ms");
  show("  acknowledge it", acknowledge, "ms");
  show(("reference: append " + size + ", fdatasync").c_str(), reference, "ms");
  std::printf("%-56s %.2f\n", "  ratio of the medians", share(seal, 0.5) / share(reference, 0.5));
}

void measure_slow_disk(const std::string& folder) {
  const spool_test::FaultyVfs vfs;
  auto spool = must(spool::Spool::open(folder, options()));
  vfs.disk().delay_ms = kSlowDiskMs;
  std::vector<double> calls;
  for (int i = 0; i < kSlowRounds; ++i) {
    auto run = run_of(1024);
    calls.push_back(ms_of([&] { must(spool->seal(std::move(run))); }));
    calls.push_back(ms_of([&] { must(spool->set_value("key", "value")); }));
    calls.push_back(ms_of([&] { must(spool->state_of("bench")); }));
    calls.push_back(ms_of([&] { must(spool->losses()); }));
    calls.push_back(ms_of([&] { must(spool->status()); }));
  }
  vfs.disk().delay_ms = 0;
  show("any call of the main thread while the disk is slow", calls, "ms");
  std::printf("%-56s %d ms\n", "reference: one write of that disk", kSlowDiskMs);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) give_up("usage: bench_spool FOLDER [RUNS]");
  const std::string folder = argv[1];
  const int runs = argc > 2 ? std::atoi(argv[2]) : 500;
  for (const std::size_t bytes : {std::size_t{1} << 10, std::size_t{16} << 10, std::size_t{256} << 10}) {
    std::filesystem::create_directories(folder);
    measure_sound_disk(folder, bytes, runs);
    std::filesystem::remove_all(folder);
  }
  measure_slow_disk(folder);
  std::filesystem::remove_all(folder);
  return 0;
}
