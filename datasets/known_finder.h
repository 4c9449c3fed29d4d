#pragma once

#include <unistd.h>

#include <cstdlib>

#include "datasets/known_files.h"
#include "framework/files/download.h"
#include "framework/files/paths.h"
#include "framework/files/tar.h"
#include "framework/files/zip.h"

// Finds the files of a published data set on this machine, or downloads them.
namespace vitrine {

inline std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value ? value : "";
}

// Places to look in, each as P/FOLDER and as P.
inline std::vector<fs::path> data_places(const Path& root, const std::string& folder) {
  if (!root.empty()) return {root.value};
  std::vector<fs::path> out;
  std::string rest = environment("VITRINE_DATA");
  while (!rest.empty()) {
    const size_t colon = rest.find(':');
    if (colon != 0) out.emplace_back(expand_home(rest.substr(0, colon)));
    rest = colon == rest.npos ? "" : rest.substr(colon + 1);
  }
  for (const char* place : {"data", "../data", "../shared/data"}) out.emplace_back(place);
  if (!cache_folder(folder).empty()) out.push_back(cache_folder(folder).parent_path());
  return out;
}

constexpr const char* kRaw = "raw";  // torchvision's folder of what it has downloaded

// A file that is gone in the end.
struct RemovedFile {
  fs::path path;
  ~RemovedFile() {
    std::error_code ignored;
    fs::remove(path, ignored);
  }
};

// Finds the folder that has the files, or makes it by downloading. Remembers what it tried.
class KnownFinder {
 public:
  KnownFinder(const KnownSet& set, const KnownOptions& options, const DataContext& context)
      : set_(set), options_(options), context_(context) {}

  // Throws Error(kData) where no folder has all files: what was tried, and how to go on.
  fs::path folder() {
    for (const fs::path& place : data_places(options_.root, set_.folder)) {
      for (const fs::path& folder : {place / set_.folder, place}) {
        const bool is_doubtful = !set_.own_names && folder == place && options_.root.empty();
        if (is_doubtful) pass_by(folder);
        if (!is_doubtful && has_all(folder)) return folder;
        for (const std::string& inner : set_.inner) {
          if (is_doubtful && inner == kRaw) continue;
          if (has_some(folder / inner) && has_all(folder / inner)) return folder / inner;
        }
      }
    }
    if (options_.downloads() && downloaded()) return cache_folder(set_.folder);
    throw Error(ExitCode::kData, advice());
  }

 private:
  std::vector<const KnownFile*> missing_in(const fs::path& folder) const {
    std::vector<const KnownFile*> out;
    for (const KnownFile& file : set_.files) {
      if (find_file(folder, file).empty()) out.push_back(&file);
    }
    return out;
  }

  bool has_some(const fs::path& folder) const {
    return missing_in(folder).size() < set_.files.size();
  }

  bool has_all(const fs::path& folder) {
    const auto missing = missing_in(folder);
    if (missing.empty()) return true;
    std::error_code ignored;
    if (!fs::is_directory(folder, ignored)) return tried_folder(folder, "no such folder"), false;
    std::vector<std::string> names;
    for (const KnownFile* file : missing) names.push_back(file->name);
    std::string why = missing.size() == set_.files.size()
                          ? "has none of the files"
                          : fmt::format("has no {}", fmt::join(names, ", no "));
    for (const std::string& miss : near_misses(folder, set_, missing)) why += "; " + miss;
    tried_folder(folder, why);
    return false;
  }

  // A place itself may hold another set's files of the same names. Tells what is there.
  void pass_by(const fs::path& place) {
    const auto missing = missing_in(place);
    const std::vector<std::string> misses = near_misses(place, set_, missing);
    if (missing.empty()) {
      tried_folder(place, fmt::format("has files of these names, as other data sets do; if they "
                                      "are {}'s, dataset.root names the folder",
                                      set_.title));
    } else if (!misses.empty()) {
      tried_folder(place, fmt::format("{}", fmt::join(misses, "; ")));
    }
  }

  void tried_folder(const fs::path& folder, const std::string& why) {
    std::error_code unknown;
    const fs::path whole = fs::absolute(folder, unknown).lexically_normal();
    tried((unknown ? folder : whole).string(), why);
  }

  void tried(const std::string& what, const std::string& why) {
    tried_ += fmt::format("\n  {}: {}", escape(what), why);
  }

  bool downloaded() {
    const fs::path folder = cache_folder(set_.folder);
    if (folder.empty()) {
      tried("download", "HOME is not set");
      return false;
    }
    try {
      Folder::make(folder);
    } catch (const Error& error) {
      tried_ += std::string("\n  ") + error.what();
      return false;
    }
    for (const std::string& mirror : options_.mirrors) {
      try {
        download_from(mirror, folder);
        return true;
      } catch (const Error& error) {
        if (context_.cancelled && context_.cancelled()) throw;
        tried_ += std::string("\n  ") + error.what();
      }
    }
    return false;
  }

  void download_from(const std::string& mirror, const fs::path& folder) const {
    if (context_.tell)
      context_.tell(fmt::format("downloading {} from {} into {}", set_.title, escape(mirror),
                                escape(folder.string())));
    if (set_.archive) return download_archive(mirror, folder);
    for (const KnownFile& file : set_.files) {
      if (find_file(folder, file).empty()) download_file(mirror, folder, file);
    }
  }

  // Fetches a published file into a temporary one and returns its address.
  std::string fetch(const std::string& mirror, const std::string& name, uint64_t most,
                    const fs::path& to) const {
    const std::string url = mirror + (mirror.ends_with('/') ? "" : "/") + name;
    download(
        url, to,
        {most, environment("VITRINE_CA_FILE"), context_.download_progress, context_.cancelled});
    return url;
  }

  static RemovedFile temporary(const fs::path& folder, const std::string& name) {
    return {folder / fmt::format(".{}.{}.part", name, getpid())};
  }

  // Only what was verified gets its name. It is kept unpacked, which loads faster, where it can be
  // verified so.
  void download_file(const std::string& mirror, const fs::path& folder,
                     const KnownFile& file) const {
    const std::string name = file.name + file.ending;
    const RemovedFile unverified = temporary(folder, name);
    const std::string url = fetch(mirror, name, std::max(file.most, kMaxPacked), unverified.path);
    const std::string bytes = read_known(unverified.path, file, set_.title, url);
    if (file.digest.empty() && !file.ending.empty()) {
      write_file_atomically(folder / name,
                            read_file(unverified.path, std::max(file.most, kMaxPacked)));
    } else {
      write_file_atomically(folder / file.name, bytes);
    }
  }

  void download_archive(const std::string& mirror, const fs::path& folder) const {
    const KnownArchive& archive = *set_.archive;
    const RemovedFile unverified = temporary(folder, archive.name);
    const std::string url = fetch(mirror, archive.name, archive.most, unverified.path);
    if (const std::string digest = sha256_of_file(unverified.path); digest != archive.sha256)
      wrong_checksum(url, digest, set_.title, archive.name, archive.sha256);
    if (archive.name.ends_with(".zip")) {
      const ZipFile zip(unverified.path.string());
      unpack(zip.names(), folder, [&](size_t i) { return zip.read(i, archive.most); });
    } else {
      const std::string tar = gunzip(read_file(unverified.path, archive.most), archive.most, url);
      const std::vector<TarEntry> entries = parse_tar(tar, url);
      std::vector<std::string> names;
      for (const TarEntry& entry : entries) names.push_back(entry.name);
      unpack(names, folder, [&](size_t i) { return std::string(entries[i].bytes); });
    }
    if (const auto missing = missing_in(folder); !missing.empty())
      throw Error(ExitCode::kData, fmt::format("{}: has no {}", url, missing.front()->name));
  }

  // By the last part of their names.
  template <class Read>
  void unpack(const std::vector<std::string>& names, const fs::path& folder,
              const Read& read) const {
    for (size_t i = 0; i < names.size(); ++i) {
      const std::string name = fs::path(names[i]).filename().string();
      const bool is_kept =
          std::any_of(set_.archive->keeps.begin(), set_.archive->keeps.end(),
                      [&](const std::string& begin) { return name.starts_with(begin); });
      if (is_kept) write_file_atomically(folder / name, read(i));
    }
  }

  std::string advice() const {
    std::vector<std::string> names;
    for (const KnownFile& file : set_.files) names.push_back(file.name);
    const std::string& ending = set_.files[0].ending;
    return fmt::format(
        "{} was not found. Tried (relative paths count from the current folder):{}\nSet "
        "VITRINE_DATA or dataset.root to a folder with its {} ({}{}), or use dataset=digits, which "
        "needs no file.",
        set_.title, tried_, set_.count(), fmt::join(names, ", "),
        ending.empty() ? "" : ", raw or " + ending);
  }

  const KnownSet& set_;
  const KnownOptions& options_;
  const DataContext& context_;
  std::string tried_;
};

}  // namespace vitrine
