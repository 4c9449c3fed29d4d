#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "framework/config/yaml.h"
#include "framework/error.h"
#include "framework/files/paths.h"
#include "framework/files/place.h"

namespace vitrine {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void refuse_missing(const fs::path& file, int reason) {
  const std::string name = escape(file.string());
  if (reason != ENOENT) {
    // What is there and cannot be read is never taken for an empty config.
    throw Error(reason == EIO ? ExitCode::kFailed : ExitCode::kUsage,
                fmt::format("{}: cannot be read: {}", name, std::strerror(reason)), reason);
  }
  std::vector<std::string> names;
  std::error_code error;
  const auto folder = file.parent_path().empty() ? fs::path(".") : file.parent_path();
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end;
       entry.increment(error)) {
    if (entry->path().extension() == ".yaml") names.push_back(entry->path().filename().string());
  }
  const std::string near = nearest_names(file.filename().string(), names);
  throw Error(ExitCode::kUsage, name + ": no such file" + counted_from_here(file) +
                                    (near.empty() ? "" : "; did you mean " + escape(near) + "?"));
}

// All of it, or one byte more than a config may have.
std::string read_all(int descriptor, const fs::path& file) {
  std::string text(kMaxConfigBytes + 1, '\0');
  size_t filled = 0;
  while (filled < text.size()) {
    const ssize_t got = ::read(descriptor, text.data() + filled, text.size() - filled);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) refuse_missing(file, errno);
    if (got == 0) break;
    filled += static_cast<size_t>(got);
  }
  text.resize(filled);
  return text;
}

// Whether it is a pipe with a name of its own, to which nobody may ever write; those of a shell
// ("<(...)", standard input) have a writer.
bool is_named_pipe(const fs::path& file, const Descriptor& in, const struct stat& status) {
  const std::string name = file.string();
  if (!S_ISFIFO(status.st_mode) || name.starts_with("/dev/") || name.starts_with("/proc/"))
    return false;
  std::error_code error;
  const fs::path opened = fs::read_symlink("/proc/self/fd/" + std::to_string(in.get()), error);
  return !opened.string().starts_with("pipe:");
}

Node read(const fs::path& file, bool takes_pipe) {
  const std::string name = takes_pipe ? shown_config(file) : file.string();
  if (takes_pipe && file == "-") return parse_yaml(read_all(STDIN_FILENO, name), name);
  // Opening a pipe would wait for its writer.
  const Descriptor in = open_descriptor(file, O_RDONLY | O_NONBLOCK);
  struct stat status {};
  if (!in.is_open() || fstat(in.get(), &status) != 0) refuse_missing(file, errno);
  if (S_ISDIR(status.st_mode))
    throw Error(ExitCode::kUsage, escape(name) + ": is a folder, not a config file");
  if (!S_ISREG(status.st_mode) && !takes_pipe)
    throw Error(ExitCode::kUsage, escape(name) + ": is not a regular file");
  if (is_named_pipe(file, in, status)) {
    throw Error(ExitCode::kUsage, escape(name) +
                                      ": is a named pipe, to which nobody may ever "
                                      "write; read it for this program: cat PIPE | "
                                      "runner -");
  }
  if (!S_ISREG(status.st_mode)) fcntl(in.get(), F_SETFL, 0);  // reading waits
  return parse_yaml(read_all(in.get(), file), name);
}

}  // namespace

std::string shown_config(const fs::path& file) { return file == "-" ? "stdin" : file.string(); }

Node read_yaml(const fs::path& file) { return read(file, false); }

Node read_yaml_or_pipe(const fs::path& file) { return read(file, true); }

}  // namespace vitrine
