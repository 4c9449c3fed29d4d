#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "framework/files/place.h"

namespace vitrine {

// Names of runs, sweeps and trials: [A-Za-z0-9._-]{1,128} without a leading dot or dash.
bool is_valid_name(std::string_view name);

// Whether `folder` has a config.yaml, a metrics.json or a checkpoints folder. Throws Error(kData)
// where that cannot be told.
bool holds_run(const std::filesystem::path& folder);

// Throws Error(kUsage) where `file` is there and lies in the directory of a run: exports and
// pictures write over no part of it, except the pictures in its folder plots.
void refuse_file_of_run(const std::filesystem::path& file);

// Makes or replaces a link to a folder, which is there at every moment; `target` is taken relative
// to the link's own folder. A convenience: nothing happens where the file system has no links, or
// somebody's own file has this name. Gives what else went wrong, in words.
std::string point_link(const std::filesystem::path& link, const std::filesystem::path& target);

// Removes what that left where its process was killed, if nobody else is doing it. Throws Error.
void remove_temporary_links(const std::filesystem::path& link);

// The folder of one run, held open: what is read and written is in this folder wherever it is moved
// to meanwhile, and no link in it is followed.
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

  const Folder& folder() const { return folder_; }
  const std::filesystem::path& path() const { return folder_.path(); }
  std::string id() const { return path().filename(); }
  Place config() const { return folder_ / "config.yaml"; }
  Place metrics() const { return folder_ / "metrics.json"; }
  Place rows() const { return folder_ / "metrics.jsonl"; }
  Place test() const { return folder_ / "test.json"; }
  Place worst() const { return folder_ / "worst"; }  // images of that test, if any
  Place checkpoints() const { return folder_ / "checkpoints"; }
  Place model() const { return folder_ / "model.safetensors"; }
  Place plots() const { return folder_ / "plots"; }  // pictures of it, if any
  Place log() const { return folder_ / "log.txt"; }

  // Whether the folder is there still, and what is in it. Throws Error(kData) where that cannot be
  // told.
  bool is_there() const;
  void check_there() const;  // throws Error(kFailed) where it is not
  // Where it lies now; none where it was not moved since it was opened.
  std::optional<std::filesystem::path> moved_to() const;

  // A resume that changes the config stages the new one; it counts from the moment on that
  // metrics.json tells its SHA-256, which is one rename. Throws Error(kFailed).
  void stage_config(const std::string& text) const;
  // The config that counts, given the SHA-256 that metrics.json tells (empty: nothing is told).
  Place current_config(const std::string& sha256) const;
  // Puts that config in its place, for good, and removes what was staged and never counted.
  void settle_config(const std::string& sha256) const;

 private:
  explicit RunDirectory(Folder folder);

  Folder folder_;
  std::filesystem::path opened_at_;
};

}  // namespace vitrine
