// main() of a fuzz target where there is no libFuzzer: the corpus again, then for a while inputs made from it.
//
//   <target> [--generate-ms N] [--seed S] FILE_OR_FOLDER...
//
// No coverage guides it: this is the smoke pass of every build, tests/fuzz/run.sh is the search. An input that ends the process
// is left as crash-<target>.input in the working folder.
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <random>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

constexpr std::size_t kInputBytesMax = 1 << 16;

std::string current;     // the input that is being tried
std::string crash_path;  // where a signal leaves it

// Only what is allowed in a signal handler.
void keep_input(int signal) {
  if (std::FILE* const file = std::fopen(crash_path.c_str(), "wb"); file != nullptr) {
    std::fwrite(current.data(), 1, current.size(), file);
    std::fclose(file);
  }
  std::signal(signal, SIG_DFL);
  std::raise(signal);
}

void run(std::string input) {
  current = std::move(input);
  // An allocation of its exact size, so that a sanitizer sees a read past its end.
  const std::vector<std::uint8_t> bytes(current.begin(), current.end());
  LLVMFuzzerTestOneInput(bytes.data(), bytes.size());
}

std::vector<std::string> read_corpus(const std::vector<std::string>& paths) {
  std::vector<std::string> names;
  for (const std::string& path : paths) {
    if (!std::filesystem::is_directory(path)) {
      names.push_back(path);
      continue;
    }
    for (const auto& entry : std::filesystem::directory_iterator(path)) names.push_back(entry.path().string());
  }
  std::sort(names.begin(), names.end());
  std::vector<std::string> corpus;
  for (const std::string& name : names) {
    std::ostringstream content;
    content << std::ifstream(name, std::ios::binary).rdbuf();
    corpus.push_back(content.str());
  }
  return corpus;
}

class Generator {
 public:
  Generator(const std::vector<std::string>& corpus, std::uint64_t seed) : corpus_(corpus), random_(seed) {}

  std::string next() {
    std::string input = corpus_.empty() ? std::string() : corpus_[below(corpus_.size())];
    for (std::size_t changes = 1 + below(6); changes > 0; --changes) change(input);
    if (input.size() > kInputBytesMax) input.resize(kInputBytesMax);
    return input;
  }

 private:
  std::size_t below(std::size_t limit) { return static_cast<std::size_t>(random_() % limit); }

  void change(std::string& input) {
    constexpr std::string_view kTelling[] = {"\0",       "\xFF",         "\"",   "\\",  "{",  "}",     "[",
                                             "]",        "\n",           "\r\n", "-1",  "0",  "1e999", "9223372036854775808",
                                             "\xC0\x80", "\xED\xA0\x80", "null", "%00", "../"};
    const std::size_t at = below(input.size() + 1);
    switch (below(8)) {
      case 0:
        if (at < input.size()) input[at] = static_cast<char>(input[at] ^ (1 << below(8)));
        break;
      case 1:
        if (at < input.size()) input[at] = static_cast<char>(random_());
        break;
      case 2: input.insert(at, 1, static_cast<char>(random_())); break;
      case 3: input.erase(at, 1 + below(16)); break;
      case 4: input.insert(at, std::string(input.substr(at, 1 + below(64)))); break;
      case 5: input.insert(at, kTelling[below(std::size(kTelling))]); break;
      case 6: input.resize(at); break;
      case 7:
        if (!corpus_.empty()) {
          const std::string& other = corpus_[below(corpus_.size())];
          input = input.substr(0, at) + other.substr(below(other.size() + 1));
        }
        break;
    }
  }

  const std::vector<std::string>& corpus_;
  std::mt19937_64 random_;
};

}  // namespace

int main(int argc, char** argv) {
  using namespace std::chrono;
  std::int64_t generate_ms = 0;
  std::uint64_t seed = 1;
  std::vector<std::string> paths;
  for (int i = 1; i < argc; ++i) {
    const std::string argument = argv[i];
    if (argument == "--generate-ms" && i + 1 < argc) {
      generate_ms = std::atoll(argv[++i]);
    } else if (argument == "--seed" && i + 1 < argc) {
      seed = std::strtoull(argv[++i], nullptr, 10);
    } else {
      paths.push_back(argument);
    }
  }
  crash_path = "crash-" + std::filesystem::path(argv[0]).filename().string() + ".input";
  for (const int signal : {SIGABRT, SIGSEGV, SIGBUS, SIGFPE, SIGILL}) std::signal(signal, keep_input);
  const std::vector<std::string> corpus = read_corpus(paths);
  run("");
  for (const std::string& input : corpus) run(input);
  Generator generator(corpus, seed);
  std::uint64_t generated = 0;
  const auto end = steady_clock::now() + milliseconds(generate_ms);
  while (steady_clock::now() < end) {
    run(generator.next());
    ++generated;
  }
  std::printf("%zu inputs of the corpus, %llu generated\n", corpus.size(), static_cast<unsigned long long>(generated));
  return corpus.empty() && !paths.empty() ? 1 : 0;  // a corpus that was moved is not a pass
}
