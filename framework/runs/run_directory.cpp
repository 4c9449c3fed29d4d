#include "framework/runs/run_directory.h"

#include <fcntl.h>
#include <fmt/chrono.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <ctime>
#include <random>
#include <system_error>

#include "framework/error.h"
#include "framework/files/file.h"
#include "framework/files/paths.h"
#include "framework/files/staged.h"

namespace fs = std::filesystem;

namespace vitrine {

namespace {

[[noreturn]] void cannot_create(const fs::path& directory, const std::error_code& reason) {
  throw Error(ExitCode::kFailed, fmt::format("cannot create the run directory {}: {}",
                                             escape(directory.string()), reason.message()));
}

// Of one spelling: no trailing slash and a last component that can serve as the run's id.
fs::path normal(const fs::path& given) {
  fs::path path = given.lexically_normal();
  if (!path.has_filename()) path = path.parent_path();
  if (path.filename() == "." || path.filename() == "..") path = fs::weakly_canonical(path);
  return path;
}

std::string new_id() {
  std::random_device random;
  return fmt::format("{:%Y%m%d-%H%M%S}-{:06x}", fmt::gmtime(std::time(nullptr)),
                     random() & 0xFFFFFF);
}

// What point_link leaves where its process is killed: ".latest-1a2b3c".
void remove_forgotten_links(const fs::path& folder) {
  std::error_code error;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end;
       entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    std::error_code ignored;
    const bool is_link = fs::is_symlink(entry->symlink_status(ignored));
    // Another process may be about to rename one that is new.
    constexpr auto kForgotten = std::chrono::minutes(1);
    struct stat status {};
    if (!is_link || !name.starts_with(".latest-") || ::lstat(entry->path().c_str(), &status) != 0)
      continue;
    if (std::time(nullptr) - status.st_mtime >
        std::chrono::duration_cast<std::chrono::seconds>(kForgotten).count())
      fs::remove(entry->path(), ignored);
  }
}

// For advice: one that cannot be read is none.
bool looks_like_run(const fs::path& folder) {
  try {
    return holds_run(folder);
  } catch (const Error&) {
    return false;
  }
}

// The newest three runs directly in `folder`, as "a, b, c": what to type instead.
std::string runs_in(const fs::path& folder) {
  std::vector<std::string> runs;
  std::error_code error;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end;
       entry.increment(error)) {
    std::error_code ignored;
    if (!fs::is_symlink(entry->symlink_status(ignored)) && looks_like_run(entry->path())) {
      runs.push_back(escape(entry->path().string()));
    }
  }
  std::sort(runs.rbegin(), runs.rend());
  runs.resize(std::min<size_t>(runs.size(), 3));
  return fmt::format("{}", fmt::join(runs, ", "));
}

}  // namespace

std::string point_link(const fs::path& link, const fs::path& target) {
  std::random_device random;
  const fs::path temporary =
      link.parent_path() / fmt::format(".{}-{:06x}", link.filename().string(), random() & 0xFFFFFF);
  std::error_code error;
  const fs::file_status there = fs::symlink_status(link, error);
  if (fs::exists(there) && !fs::is_symlink(there)) return "";
  fs::create_directory_symlink(target, temporary, error);
  const bool has_links =
      error != std::errc::operation_not_permitted && error != std::errc::operation_not_supported;
  if (!error) fs::rename(temporary, link, error);
  if (!error || !has_links) return "";
  std::error_code ignored;
  fs::remove(temporary, ignored);
  return fmt::format("cannot point the link {} to {}: {}", escape(link.string()),
                     escape(target.string()), error.message());
}

void remove_temporary_links(const fs::path& link) {
  const Folder folder = Folder::open(link.parent_path());
  const std::string begin = "." + link.filename().string() + "-";
  for (const std::string& name : folder.names()) {
    std::error_code ignored;
    if (name.starts_with(begin) && fs::is_symlink(folder.path() / name, ignored))
      remove_file(folder / name);
  }
}

bool is_valid_name(std::string_view name) {
  const auto allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '_' || c == '-';
  };
  return !name.empty() && name.size() <= 128 && name[0] != '.' && name[0] != '-' &&
         std::all_of(name.begin(), name.end(), allowed);
}

bool holds_run(const fs::path& folder) {
  for (const char* name : {"config.yaml", "metrics.json", "checkpoints"}) {
    struct stat status {};
    if (stat((folder / name).c_str(), &status) == 0) return true;
    if (!is_missing(errno)) throw_read_error(folder / name, errno);
  }
  return false;
}

void refuse_file_of_run(const fs::path& file) {
  std::error_code ignored;
  if (!fs::exists(file, ignored)) return;
  const fs::path path = fs::weakly_canonical(fs::absolute(file), ignored);
  for (fs::path folder = path.parent_path(); folder.has_relative_path();
       folder = folder.parent_path()) {
    if (!holds_run(folder)) continue;
    if (*path.lexically_relative(folder).begin() == "plots") return;
    throw Error(ExitCode::kUsage,
                fmt::format("{} belongs to the run {} and is not written over; choose another name",
                            escape(file.string()), escape(folder.string())));
  }
}

RunDirectory RunDirectory::create(const fs::path& root, const std::string& name) {
  if (!is_valid_name(name)) {
    throw Error(ExitCode::kUsage,
                fmt::format("\"{}\" cannot name a run: 1 to 128 letters, digits, dots, underscores "
                            "and dashes are allowed, the first no dot or dash",
                            escape(name)));
  }
  const fs::path folder = normal(root / name);
  try {
    Folder::make(folder);
  } catch (const Error& error) {
    cannot_create(folder, {error.system_code(), std::generic_category()});
  }
  remove_forgotten_links(folder);
  for (;;) {
    const std::string id = new_id();
    if (::mkdir((folder / id).c_str(), 0777) == 0) {
      point_link(folder / "latest", id);
      return RunDirectory(Folder::make(folder / id));
    }
    if (errno != EEXIST) cannot_create(folder / id, {errno, std::generic_category()});
  }
}

void RunDirectory::refuse_used(const fs::path& directory) {
  const fs::path path = normal(directory);
  if (!holds_run(path)) return;
  throw Error(ExitCode::kUsage,
              fmt::format("{} already holds a run: add --resume to go on with it, or name another "
                          "directory with --run-dir",
                          escape(path.string())));
}

RunDirectory RunDirectory::create_at(const fs::path& directory) {
  const fs::path path = normal(directory);
  refuse_used(path);
  try {
    Folder folder = Folder::make(path);
    if (::access(path.c_str(), W_OK | X_OK) == 0) return RunDirectory(std::move(folder));
  } catch (const Error& error) {
    cannot_create(path, {error.system_code(), std::generic_category()});
  }
  cannot_create(path, {errno, std::generic_category()});
}

RunDirectory RunDirectory::open(const fs::path& directory) {
  fs::path path = normal(directory);
  std::error_code ignored;
  if (fs::is_symlink(fs::symlink_status(path, ignored))) {
    // So that the run has its own id, not `latest`.
    path = normal(path.parent_path() / fs::read_symlink(path, ignored));
  }
  if (holds_run(path)) return RunDirectory(Folder::open(path));
  const fs::path parent = path.has_parent_path() ? path.parent_path() : fs::path(".");
  const bool is_there = fs::exists(path, ignored), is_folder = fs::is_directory(path, ignored);
  std::string near = runs_in(path);
  if (near.empty()) near = runs_in(parent);
  if (near.empty() && is_there && !is_folder && looks_like_run(parent))
    near = escape(parent.string());
  throw Error(ExitCode::kUsage,
              fmt::format("{} {}{}{}", escape(path.string()),
                          is_folder  ? "holds no run (no config.yaml, metrics.json or checkpoints)"
                          : is_there ? "is no run but a file; a run is a directory"
                                     : "is no run: there is no such directory",
                          is_there ? "" : counted_from_here(path),
                          near.empty() ? "" : "; runs near it: " + near));
}

RunDirectory::RunDirectory(Folder folder)
    : folder_(std::move(folder)), opened_at_(folder_.location()) {}

std::optional<fs::path> RunDirectory::moved_to() const {
  const fs::path now = folder_.location();
  return now == opened_at_ || folder_.is_removed() ? std::nullopt : std::optional(now);
}

bool RunDirectory::is_there() const {
  // What an `rm -r` under way has not come to yet is of no use either.
  return !folder_.is_removed() && exists(config());
}

void RunDirectory::check_there() const {
  if (is_there()) return;
  throw Error(ExitCode::kFailed,
              fmt::format("the run's folder {} was removed while the run was under way; there is "
                          "nothing to go on with",
                          escape(path().string())));
}

void RunDirectory::stage_config(const std::string& text) const { stage(config(), text); }

Place RunDirectory::current_config(const std::string& sha256) const {
  return current_place(config(), sha256);
}

void RunDirectory::settle_config(const std::string& sha256) const { settle(config(), sha256); }

}  // namespace vitrine
