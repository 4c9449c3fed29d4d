#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace vitrine {

// Names of runs, sweeps and trials: [A-Za-z0-9._-]{1,128} without a leading dot or dash.
bool is_valid_name(std::string_view name);

// Whether `folder` has a config.yaml, a metrics.json or a checkpoints folder.
bool holds_run(const std::filesystem::path& folder);

// Throws Error(kUsage) where `file` is there and lies in the directory of a run: exports and
// pictures write over no part of it, except the pictures in its folder plots.
void refuse_file_of_run(const std::filesystem::path& file);

// Makes or replaces a link to a folder, which is there at every moment; `target` is taken relative
// to the link's own folder. A convenience: nothing happens where the file system has no links, or
// somebody's own file has this name.
void point_link(const std::filesystem::path& link, const std::filesystem::path& target);

// All runs at or below `folder`, sorted; links (`latest`, or a sweep's `best`) and hidden folders
// are left out.
std::vector<std::filesystem::path> find_runs(const std::filesystem::path& folder);

// The folder of one run, and the names of what is in it.
class RunDirectory {
 public:
  // Makes <root>/<name>/<YYYYmmdd-HHMMSS>-<6 hex>, in UTC, and points <root>/<name>/latest to it.
  // Throws Error(kUsage) for a name that is not valid, Error(kFailed) when it cannot be made.
  static RunDirectory create(const std::filesystem::path& root, const std::string& name);

  // Makes `directory`, which may be there as long as it holds no run (Error(kUsage)).
  static RunDirectory create_at(const std::filesystem::path& directory);

  // Throws Error(kUsage) when `directory` holds a run.
  static void refuse_used(const std::filesystem::path& directory);

  // A run that is there; `directory` may be a `latest` link. Throws Error(kUsage) when it holds no
  // run, and names runs that are near.
  static RunDirectory open(const std::filesystem::path& directory);

  const std::filesystem::path& path() const { return path_; }
  std::string id() const { return path_.filename(); }
  std::filesystem::path config() const { return path_ / "config.yaml"; }
  std::filesystem::path metrics() const { return path_ / "metrics.json"; }
  std::filesystem::path rows() const { return path_ / "metrics.jsonl"; }
  std::filesystem::path test() const { return path_ / "test.json"; }
  std::filesystem::path checkpoints() const { return path_ / "checkpoints"; }
  std::filesystem::path model() const { return path_ / "model.safetensors"; }
  std::filesystem::path plots() const { return path_ / "plots"; }  // pictures of it, if any
  std::filesystem::path log() const { return path_ / "log.txt"; }

 private:
  explicit RunDirectory(std::filesystem::path path) : path_(std::move(path)) {}
  std::filesystem::path path_;
};

}  // namespace vitrine
