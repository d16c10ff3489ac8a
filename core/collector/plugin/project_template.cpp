#include "core/collector/plugin/project_template.h"

#include "core/files/files.h"

#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>

namespace pganalytics::collector {
namespace {

namespace fs = std::filesystem;

Error failed(const std::string& what, const fs::path& path, const std::string& why) {
  return {PGA_E_FAIL, "project.write", what + " " + path.string() + " failed: " + why, "", 0};
}

// A folder beside the target, removed with whatever is left in it.
class Workshop {
 public:
  static Expected<Workshop> beside(const fs::path& target) {
    std::string pattern = (target.parent_path() / ("." + target.filename().string() + ".XXXXXX")).string();
    if (mkdtemp(pattern.data()) == nullptr) return failed("making a folder in", target.parent_path(), std::strerror(errno));
    return Workshop(pattern);
  }
  Workshop(Workshop&& other) noexcept : path_(std::exchange(other.path_, {})) {}
  Workshop(const Workshop&) = delete;
  Workshop& operator=(const Workshop&) = delete;
  Workshop& operator=(Workshop&&) = delete;
  ~Workshop() {
    std::error_code ignored;  // what is left is a hidden folder that says nothing wrong
    if (!path_.empty()) fs::remove_all(path_, ignored);
  }
  [[nodiscard]] fs::path project() const { return path_ / "project"; }

 private:
  explicit Workshop(fs::path path) : path_(std::move(path)) {}
  fs::path path_;
};

Outcome check_target(const fs::path& target) {
  std::error_code unknown;
  const fs::file_status found = fs::symlink_status(target, unknown);
  if (found.type() == fs::file_type::not_found) return {};
  const std::string name = target.string();
  if (found.type() != fs::file_type::directory)
    return Error{PGA_E_CONFIG, "project.target", name + " exists and is not a folder", "Name a folder that does not exist yet.",
                 0};
  if (!fs::is_empty(target, unknown))
    return Error{PGA_E_CONFIG, "project.target", name + " is not an empty folder", "Name a folder that does not exist yet.", 0};
  if (fs::equivalent(target, fs::current_path(unknown), unknown))
    return Error{PGA_E_CONFIG, "project.target", name + " is the current folder", "Call it from the folder above, by name.", 0};
  return {};
}

Outcome copy_file(const fs::path& from, const fs::path& to, const TemplateWords& words) {
  PGA_TRY(const std::string text, files::read(from.string()));
  std::ofstream file(to, std::ios::binary);
  file << fill_in(text, words);
  file.close();
  if (!file) return failed("writing", to, std::strerror(errno));
  std::error_code error;
  if ((fs::status(from, error).permissions() & fs::perms::owner_exec) == fs::perms::none) return {};
  const fs::perms readers =
      fs::status(to, error).permissions() & (fs::perms::owner_read | fs::perms::group_read | fs::perms::others_read);
  fs::permissions(to, static_cast<fs::perms>(static_cast<unsigned>(readers) >> 2), fs::perm_options::add, error);
  return error ? Outcome(failed("making executable", to, error.message())) : Outcome();
}

Outcome copy_folder(const fs::path& from, const fs::path& to, const TemplateWords& words) {
  std::error_code error;
  fs::create_directory(to, error);
  if (error) return failed("making the folder", to, error.message());
  for (fs::directory_iterator entry(from, error), end; !error && entry != end; entry.increment(error)) {
    const fs::path copy = to / fill_in(entry->path().filename().string(), words);
    PGA_CHECK(entry->is_directory() ? copy_folder(entry->path(), copy, words) : copy_file(entry->path(), copy, words));
  }
  return error ? Outcome(failed("reading the folder", from, error.message())) : Outcome();
}

}  // namespace

std::string fill_in(std::string_view text, const TemplateWords& words) {
  std::string filled;
  filled.reserve(text.size());
  for (std::size_t at = 0; at < text.size(); ++at) {
    const std::size_t end = text[at] == '@' ? text.find('@', at + 1) : std::string_view::npos;
    const auto word = end == std::string_view::npos ? words.end() : words.find(std::string(text.substr(at + 1, end - at - 1)));
    if (word == words.end()) {
      filled += text[at];
    } else {
      filled += word->second;
      at = end;
    }
  }
  return filled;
}

Outcome write_project(const std::string& from, const std::string& to, const TemplateWords& words) {
  std::error_code error;
  fs::path target = fs::absolute(to, error).lexically_normal();
  if (target.filename().empty()) target = target.parent_path();  // "project/"
  PGA_CHECK(check_target(target));
  fs::create_directories(target.parent_path(), error);
  if (error) return failed("making the folder", target.parent_path(), error.message());
  PGA_TRY(const Workshop workshop, Workshop::beside(target));
  PGA_CHECK(copy_folder(from, workshop.project(), words));
  fs::rename(workshop.project(), target, error);  // takes the place of an empty folder, never of a full one
  return error ? Outcome(failed("making the folder", target, error.message())) : Outcome();
}

}  // namespace pganalytics::collector
