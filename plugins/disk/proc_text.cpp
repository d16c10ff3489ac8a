#include "plugins/disk/proc_text.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

namespace pganalytics::disk {
namespace {

constexpr std::size_t kTextMaxBytes = 16 << 20;
constexpr char kBlanks[] = " \t\n";

Error unreadable(const std::string& path, int number) {
  const pga_status status = number == EACCES || number == EPERM ? PGA_E_DENIED : PGA_E_FAIL;
  return {status, "proc.unreadable", "cannot read " + path + ": " + std::generic_category().message(number), "", 0};
}

Expected<std::string> read_all(int file, const std::string& path) {
  std::string text;
  char block[16 << 10];
  for (;;) {
    const ssize_t got = ::read(file, block, sizeof block);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return unreadable(path, errno);
    if (got == 0) return text;
    text.append(block, static_cast<std::size_t>(got));
    if (text.size() > kTextMaxBytes) return unreadable(path, EFBIG);
  }
}

}  // namespace

Expected<std::string> read_text(const std::string& path) {
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) return unreadable(path, errno);
  auto text = read_all(file, path);
  ::close(file);
  return text;
}

std::optional<std::string_view> next_line(std::string_view& text) {
  if (text.empty()) return std::nullopt;
  const std::size_t end = text.find('\n');
  const std::string_view line = text.substr(0, end);
  text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  return line;
}

std::string_view next_word(std::string_view& line) {
  const std::size_t begin = line.find_first_not_of(kBlanks);
  if (begin == std::string_view::npos) return line = {};
  line.remove_prefix(begin);
  const std::string_view word = line.substr(0, line.find_first_of(kBlanks));
  line.remove_prefix(word.size());
  return word;
}

}  // namespace pganalytics::disk
