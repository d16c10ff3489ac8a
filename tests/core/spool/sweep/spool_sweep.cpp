// Every truncation length and every single-bit flip of a spool's files, each opened as the collector opens it.
//
//   spool_sweep [--seed S] [--sample N] [--part K/N] [--jobs J] [--dir DIR] [--case N] [--drain-every N]
//
// Exit status 0: no promise was broken. README.md says what is promised and what this differs in from a collector's start.
#include "core/log/log.h"
#include "tests/core/spool/sweep/verdict.h"
#include "tests/support/counted_child.h"

#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <random>

using namespace pganalytics;
using namespace pganalytics::spool_sweep;

namespace {

struct Options {
  std::uint64_t seed = 1, sample = 0, part = 1, parts = 1, jobs = 1, drain_every = 32;
  std::int64_t only = -1;
  std::string dir = "/dev/shm";  // memory: the disk is not what is tested
};

enum class Damage { kFlip, kCut, kZeroSector, kGarbageSector };
constexpr std::size_t kBatchesMin = 32;  // what the sweep is of ...
constexpr int kCasesMin = 1'000'000;     // ... and how much it is, whole
constexpr std::size_t kSectorBytes = 512;

// One file of one specimen damaged in one way, at every place there is.
struct Series {
  const Specimen* specimen;
  std::string file;
  Damage damage;
  bool with_tally;
  std::uint64_t cases;
};

std::vector<Series> all_series(const std::vector<Specimen>& specimens) {
  std::vector<Series> all;
  for (const Specimen& specimen : specimens) {
    for (const auto& [name, content] : specimen.files) {
      // Beside a log, the database and the witness are what they are without one.
      if (specimen.name == "running" && name != "spool.db-wal") continue;
      const std::uint64_t sectors = (content.size() + kSectorBytes - 1) / kSectorBytes;
      all.push_back({&specimen, name, Damage::kFlip, true, content.size() * 8});
      all.push_back({&specimen, name, Damage::kCut, true, content.size()});
      all.push_back({&specimen, name, Damage::kZeroSector, true, sectors});
      all.push_back({&specimen, name, Damage::kGarbageSector, true, sectors});
    }
  }
  // Without the witness: the two rows of each epoch have to do.
  all.push_back({&specimens.front(), "spool.db", Damage::kFlip, false, specimens.front().files.at("spool.db").size() * 8});
  all.push_back({&specimens.front(), "spool.db", Damage::kCut, false, specimens.front().files.at("spool.db").size()});
  return all;
}

const char* name_of(Damage damage) {
  switch (damage) {
    case Damage::kFlip: return "bit flips";
    case Damage::kCut: return "truncations";
    case Damage::kZeroSector: return "zeroed sectors";
    case Damage::kGarbageSector: return "garbage sectors";
  }
  return "";
}

std::string damaged(std::string content, Damage damage, std::uint64_t at) {
  switch (damage) {
    case Damage::kFlip: content[at / 8] = static_cast<char>(content[at / 8] ^ (1 << (at % 8))); break;
    case Damage::kCut: content.resize(at); break;
    case Damage::kZeroSector:
    case Damage::kGarbageSector: {
      std::mt19937_64 random(at);
      for (std::size_t i = at * kSectorBytes; i < std::min(content.size(), (at + 1) * kSectorBytes); ++i) {
        content[i] = damage == Damage::kZeroSector ? '\0' : static_cast<char>(random());
      }
    }
  }
  return content;
}

struct Totals {
  std::atomic<std::uint64_t> cases, salvaged, served, lost, wrong, whole;
  std::atomic<std::uint64_t> at[64];  // the case that each job is at
};

class Sweep {
 public:
  Sweep(const Options& options, const std::vector<Series>& series, Totals& totals)
      : options_(options), series_(series), totals_(totals) {
    for (const Series& one : series) count_ += one.cases;
  }

  [[nodiscard]] std::uint64_t count() const { return count_; }

  void run_job(std::uint64_t job) {
    const std::string dir = options_.dir + "/spool-sweep-" + std::to_string(::getpid());
    if (options_.only >= 0) {
      run_case(dir, static_cast<std::uint64_t>(options_.only));
    } else if (options_.sample > 0) {
      std::mt19937_64 random(options_.seed);
      for (std::uint64_t i = 0; i < options_.sample; ++i) {
        const std::uint64_t index = random() % count_;
        if (mine(i, job)) run_at(dir, job, index);
      }
    } else {
      for (std::uint64_t i = 0; i < count_; ++i) {
        if (mine(i, job)) run_at(dir, job, i);
      }
    }
    std::filesystem::remove_all(dir);
  }

 private:
  [[nodiscard]] bool mine(std::uint64_t i, std::uint64_t job) const {
    return i % options_.parts == options_.part - 1 && i / options_.parts % options_.jobs == job;
  }

  void run_at(const std::string& dir, std::uint64_t job, std::uint64_t index) {
    totals_.at[job] = index;
    run_case(dir, index);
  }

  void run_case(const std::string& dir, std::uint64_t index) {
    const Series* series = series_.data();
    std::uint64_t at = index;
    while (at >= series->cases) at -= series++->cases;
    lay_out(dir, *series, at);
    Expectation expected;
    expected.loses_nothing = series->file == "spool.tally";
    expected.knows_ledger = series->with_tally;
    expected.counts_exactly = series->with_tally || series->damage == Damage::kFlip;
    expected.drain = index % options_.drain_every == 0 || options_.only >= 0;
    const Verdict verdict = judge(dir, series->specimen->truth, expected);
    ++totals_.cases;
    totals_.salvaged += verdict.salvaged ? 1 : 0;
    totals_.served += verdict.served;
    totals_.lost += verdict.lost;
    totals_.whole += verdict.served == series->specimen->truth.waiting.size() ? 1 : 0;
    if (verdict.wrong.empty()) return;
    if (++totals_.wrong <= 40) {
      std::printf("WRONG: case %llu, %s of the %s spool's %s at %llu: %s\n", static_cast<unsigned long long>(index),
                  name_of(series->damage), series->specimen->name.c_str(), series->file.c_str(),
                  static_cast<unsigned long long>(at), verdict.wrong.c_str());
      std::fflush(stdout);
    }
  }

  void lay_out(const std::string& dir, const Series& series, std::uint64_t at) {
    std::filesystem::create_directories(dir);
    for (const auto& entry : std::filesystem::directory_iterator(dir)) {
      // The reserve says nothing of what is in the spool; to make it anew would be a third of a case's time.
      if (entry.path().filename() != "spool.reserve") std::filesystem::remove_all(entry.path());
    }
    for (const auto& [name, content] : series.specimen->files) {
      if (name == "spool.tally" && !series.with_tally) continue;
      write_file(dir + "/" + name, name == series.file ? damaged(content, series.damage, at) : content);
    }
  }

  const Options& options_;
  const std::vector<Series>& series_;
  Totals& totals_;
  std::uint64_t count_ = 0;
};

bool parse(int argc, char** argv, Options& options) {
  for (int i = 1; i < argc; ++i) {
    const std::string name = argv[i];
    if (i + 1 == argc) return false;
    const char* const value = argv[++i];
    char* end = nullptr;
    const std::uint64_t number = std::strtoull(value, &end, 10);
    if (name == "--dir") {
      options.dir = value;
      continue;
    }
    if (name == "--part" && *end == '/') {
      options.part = number;
      options.parts = std::strtoull(end + 1, &end, 10);
    }
    if (*end != '\0') return false;
    if (name == "--seed") {
      options.seed = number;
    } else if (name == "--sample") {
      options.sample = number;
    } else if (name == "--jobs") {
      options.jobs = number;
    } else if (name == "--case") {
      options.only = static_cast<std::int64_t>(number);
    } else if (name == "--drain-every") {
      options.drain_every = number;
    } else if (name != "--part") {
      return false;
    }
  }
  return options.part >= 1 && options.part <= options.parts && options.jobs >= 1 && options.jobs <= 64 &&
         options.drain_every >= 1;
}

// Waits for the jobs; false: one of them ended by a signal or with an error.
bool wait_for(const std::vector<pid_t>& jobs, const Totals& totals, std::uint64_t planned) {
  using namespace std::chrono;
  bool sound = true;
  auto told = steady_clock::now();
  for (std::size_t left = jobs.size(); left > 0;) {
    int status = 0;
    const pid_t ended = ::waitpid(-1, &status, WNOHANG);
    if (ended == 0) {
      ::usleep(50'000);
      if (steady_clock::now() - told > seconds(10)) {
        told = steady_clock::now();
        std::printf("%llu of %llu cases, wrong %llu\n", static_cast<unsigned long long>(totals.cases),
                    static_cast<unsigned long long>(planned), static_cast<unsigned long long>(totals.wrong));
        std::fflush(stdout);
      }
      continue;
    }
    --left;
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0) continue;
    sound = false;
    for (std::size_t job = 0; job < jobs.size(); ++job) {
      if (jobs[job] == ended)
        std::printf("WRONG: case %llu ended the process\n", static_cast<unsigned long long>(totals.at[job]));
    }
  }
  return sound;
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  if (!parse(argc, argv, options)) {
    std::fprintf(stderr,
                 "usage: spool_sweep [--seed S] [--sample N] [--part K/N] [--jobs J] [--dir DIR] [--case N] [--drain-every N]\n");
    return 2;
  }
  if (options.only < 0) log::set_level(static_cast<log::Level>(0));
  const std::string home = options.dir + "/spool-sweep-specimen-" + std::to_string(::getpid());
  std::vector<Specimen> specimens;
  for (const bool running : {false, true}) {
    const std::string dir = home + (running ? "/running" : "/closed");
    std::filesystem::create_directories(dir);
    specimens.push_back(make_specimen(dir, running, options.seed));
    const Specimen& made = specimens.back();
    std::printf("%s spool: %zu batches with %llu documents wait;", made.name.c_str(), made.truth.waiting.size(),
                static_cast<unsigned long long>(made.truth.waiting_documents));
    if (made.truth.waiting.size() < kBatchesMin) {
      std::printf(" WRONG: at least %zu are to wait\n", kBatchesMin);
      return 1;
    }
    for (const auto& [name, content] : made.files) std::printf(" %s %zu bytes", name.c_str(), content.size());
    std::printf("\n");
  }
  std::filesystem::remove_all(home);
  const std::vector<Series> series = all_series(specimens);
  void* const shared = ::mmap(nullptr, sizeof(Totals), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (shared == MAP_FAILED) return 2;
  auto& totals = *new (shared) Totals{};
  Sweep sweep(options, series, totals);
  const std::uint64_t planned = (options.sample > 0 ? options.sample : sweep.count()) / options.parts;
  std::printf("%llu cases in all, seed %llu; this run: %llu\n", static_cast<unsigned long long>(sweep.count()),
              static_cast<unsigned long long>(options.seed), static_cast<unsigned long long>(planned));
  std::fflush(stdout);
  const auto begun = std::chrono::steady_clock::now();
  std::vector<pid_t> jobs;
  for (std::uint64_t job = 0; job < options.jobs; ++job) {
    const pid_t child = ::fork();
    if (child == 0) {
      testing::begin_counting();
      sweep.run_job(job);
      testing::leave(0);
    }
    jobs.push_back(child);
  }
  const bool sound = wait_for(jobs, totals, planned);
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count();
  std::printf(
      "%llu cases in %.0f s: %llu found when opening, %llu served every batch; %llu batches recovered, %llu documents counted"
      " as lost, wrong %llu\n",
      static_cast<unsigned long long>(totals.cases), seconds, static_cast<unsigned long long>(totals.salvaged),
      static_cast<unsigned long long>(totals.whole), static_cast<unsigned long long>(totals.served),
      static_cast<unsigned long long>(totals.lost), static_cast<unsigned long long>(totals.wrong));
  const bool all = options.sample == 0 && options.parts == 1 && options.only < 0;
  if (all && totals.cases < kCasesMin) std::printf("WRONG: a whole sweep has at least %d cases\n", kCasesMin);
  return sound && totals.wrong == 0 && totals.cases >= (all ? kCasesMin : 1) ? 0 : 1;
}
