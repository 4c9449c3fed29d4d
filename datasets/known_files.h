#pragma once

#include <algorithm>
#include <cctype>
#include <filesystem>

#include "datasets/known_set.h"
#include "framework/files/bzip2.h"
#include "framework/files/file.h"
#include "framework/files/gzip.h"
#include "framework/files/md5.h"
#include "framework/files/sha256.h"

// Files of published data sets in a folder: under which names they lie there, whether they are what
// was published, and what else lies there that was perhaps meant.
namespace vitrine {

namespace fs = std::filesystem;

constexpr uint64_t kMaxPacked = 16 << 20;  // a packed file may be so large where it unpacks to less

// Of the kind that is expected: MD5, or SHA-256.
inline std::string digest_like(const std::string& expected, std::string_view bytes) {
  return expected.size() == 32 ? md5_hex(bytes) : sha256_hex(bytes);
}

// train-images-idx3-ubyte is called train-images.idx3-ubyte as well, and some archives unpack each
// file into a folder of its name.
inline std::vector<std::string> spellings_of(const std::string& name) {
  std::vector<std::string> out = {name};
  if (const size_t at = name.find("-idx"); at != name.npos) {
    out.push_back(name);
    out.back()[at] = '.';
  }
  for (size_t i = 0, count = out.size(); i < count; ++i) out.push_back(out[i] + "/" + out[i]);
  return out;
}

// The file in a folder: unpacked if it is there, else packed; the other way round where only the
// packed file's digest is known. Empty where neither is there.
inline fs::path find_file(const fs::path& folder, const KnownFile& file) {
  std::vector<std::string> endings = {"", ".gz"};
  if (!file.ending.empty() && file.ending != ".gz") endings.push_back(file.ending);
  if (file.digest.empty() && !file.published.empty()) std::reverse(endings.begin(), endings.end());
  for (const std::string& ending : endings) {
    for (const std::string& name : spellings_of(file.name)) {
      std::error_code ignored;
      if (fs::is_regular_file(folder / (name + ending), ignored)) return folder / (name + ending);
    }
  }
  return {};
}

inline std::string unpacked(std::string bytes, uint64_t most, const std::string& name) {
  if (is_gzip(bytes)) return gunzip(bytes, most, name);
  if (is_bzip2(bytes)) return bunzip2(bytes, most, name);
  return bytes;
}

[[noreturn]] inline void wrong_checksum(const std::string& name, const std::string& digest,
                                        const std::string& title, const std::string& file,
                                        const std::string& expected) {
  throw Error(
      ExitCode::kData,
      fmt::format("{}: wrong checksum: its {} is {}, that of {}'s {} is {}", escape(name),
                  expected.size() == 32 ? "MD5" : "SHA-256", digest, title, file, expected));
}

// Throws where unpacked bytes are not those of the file: by its digest where it is known, else by
// its format alone.
inline void check_unpacked(std::string_view bytes, const KnownFile& file, const std::string& title,
                           const std::string& name) {
  const bool is_known = !file.digest.empty();
  const std::string digest = is_known ? sha256_hex(bytes) : "";
  if (is_known && digest == file.digest) return;
  if (file.check)
    file.check(bytes, name);  // says more where it is no such file, or a truncated one
  if (is_known) wrong_checksum(name, digest, title, file.name, file.digest);
  for (const auto& [others, other] : file.others) {
    if (sha256_hex(bytes) != others) continue;
    throw Error(ExitCode::kData, fmt::format("{}: this is {}'s {}, not that of {}", escape(name),
                                             other, file.name, title));
  }
}

// The unpacked bytes of a file as it was published. Messages call it `name`.
inline std::string read_known(const fs::path& path, const KnownFile& file, const std::string& title,
                              const std::string& name) {
  std::string bytes = read_file(path, std::max(file.most, kMaxPacked));
  const bool is_packed = is_gzip(bytes) || is_bzip2(bytes);
  const bool is_checked = is_packed && file.digest.empty() && !file.published.empty();
  const std::string digest = is_checked ? digest_like(file.published, bytes) : "";
  bytes = unpacked(std::move(bytes), file.most, name);
  if (is_checked && digest == file.published) return bytes;
  check_unpacked(bytes, file, title, name);
  if (is_checked) wrong_checksum(name, digest, title, file.name + file.ending, file.published);
  return bytes;
}

// Letters in lower case, what parts words as '-'.
inline std::string plain_spelling(std::string name) {
  for (char& c : name) {
    c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    if (c == '.' || c == '_' || c == ' ') c = '-';
  }
  return name;
}

// What to do about a file whose name is that of a missing one and `rest`.
inline std::string advice_about(const std::string& rest, const KnownFile& file) {
  for (const char* ending :
       {".zip", ".tar", ".tar.gz", ".tgz", ".7z", ".rar", ".xz", ".zst", ".Z", ".bz2", ".gz.zip"}) {
    if (rest == ending) return "unpack it";
  }
  for (const char* ending : {".part", ".partial", ".crdownload", ".download", ".tmp"}) {
    if (rest.ends_with(ending)) return "its download has not ended";
  }
  return fmt::format("if it is the file, call it {}{}", file.name,
                     rest.find(".gz") == rest.npos ? "" : ".gz");
}

// Whether it is the name of a file of the set, or of its folder.
inline bool is_name_of(const KnownSet& set, const std::string& name) {
  if (name == set.folder) return true;
  for (const KnownFile& file : set.files) {
    for (const std::string& spelling : spellings_of(file.name)) {
      if (name == spelling + ".gz" || name == spelling + file.ending) return true;
    }
  }
  return false;
}

// What lies in a folder in the place of missing files: "found a.zip: unpack it".
inline std::vector<std::string> near_misses(const fs::path& folder, const KnownSet& set,
                                            const std::vector<const KnownFile*>& missing) {
  constexpr size_t kMost = 3;
  std::vector<std::string> names, out;
  std::error_code ignored;
  for (fs::directory_iterator at(folder, ignored), end; !ignored && at != end;
       at.increment(ignored))
    names.push_back(at->path().filename().string());
  std::sort(names.begin(), names.end());
  for (const std::string& name : names) {
    std::string advice;
    if (set.archive && name == set.archive->name) advice = "unpack it";
    for (const NearMiss& miss : set.near_misses) {
      if (name == miss.name) advice = miss.advice;
    }
    for (const KnownFile* file : missing) {
      if (!advice.empty() || is_name_of(set, name) ||
          !plain_spelling(name).starts_with(plain_spelling(file->name)))
        continue;
      advice = fs::is_directory(folder / name, ignored)
                   ? "this folder has no file of its name"
                   : advice_about(name.substr(file->name.size()), *file);
    }
    if (!advice.empty() && out.size() < kMost)
      out.push_back(fmt::format("found {}: {}", escape(name), advice));
  }
  return out;
}

}  // namespace vitrine
