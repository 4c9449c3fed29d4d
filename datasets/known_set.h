#pragma once

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <functional>

#include "framework/data/dataset.h"
#include "framework/error.h"

// What there is to know of a published data set, and the options of all of them.
namespace vitrine {

// A published file.
struct KnownFile {
  using Check = std::function<void(std::string_view bytes, const std::string& name)>;

  std::string name;            // unpacked
  uint64_t most = 0;           // unpacked bytes are no more
  Check check = {};            // throws where unpacked bytes are not in its format
  std::string ending = {};     // of the published file, if it is packed: ".gz", ".bz2"
  std::string digest = {};     // SHA-256 of the unpacked bytes; empty where it is not known
  std::string published = {};  // SHA-256 or MD5 of the packed file; empty where it is not known
  // Files of the same name in other sets: the SHA-256 of their unpacked bytes, and their title.
  std::vector<std::pair<std::string, std::string>> others = {};
};

// A published archive that has all files: a zip, or a tar that is gzipped.
struct KnownArchive {
  std::string name, sha256;
  uint64_t most = 0;               // bytes of it, and of all that is in it
  std::vector<std::string> keeps;  // files whose names begin so are unpacked
};

// What people have in the place of a data set's files, and what they can do about it.
struct NearMiss {
  std::string name, advice;
};

struct KnownSet {
  std::string title;               // "MNIST"
  std::string folder;              // "mnist", in a place and in the cache
  std::vector<std::string> inner;  // folders in it, or in a place, that others keep the files in
  std::vector<KnownFile> files;
  std::vector<std::string> mirrors;          // https folders with the published files
  std::optional<KnownArchive> archive = {};  // what is downloaded instead of the files
  std::vector<NearMiss> near_misses = {};
  bool own_names = true;  // no other set has files of these names

  // "four files", as messages count them.
  std::string count() const {
    constexpr const char* kWords[] = {"no", "one", "two", "three", "four", "five", "six"};
    return fmt::format("{} file{}", kWords[files.size()], files.size() == 1 ? "" : "s");
  }
};

struct KnownOptions : DatasetOptions {
  explicit KnownOptions(const KnownSet& set)
      : mirrors(set.mirrors),
        published(set.mirrors),
        root_help(fmt::format("folder with the {}, or with {}/ that has them; no other is tried",
                              set.count(), set.folder)) {}

  Path root;
  std::vector<std::string> mirrors;
  std::optional<bool> download;

  void visit(Fields& field) {
    DatasetOptions::visit(field);
    field("root", root, root_help.c_str()).words({"dir", "folder", "data_dir", "data_root"});
    field("mirrors", mirrors, "https folders to download the files from, tried in order")
        .words({"url", "urls"});
    field("download", download,
          "whether to download the files where no folder has them; null: unless root is given");
  }
  bool downloads() const { return download.value_or(root.empty()); }
  void check(Check& check) const {
    for (const std::string& mirror : mirrors) {
      if (mirror.starts_with("https://")) continue;
      check.error({"mirrors"}, "mirrors are https addresses, got \"" + escape(mirror) + "\"");
    }
    if (!root.empty() && downloads()) {
      check.no_effect("download", "root is given, and nothing else is tried");
    }
    // The default may stand there: a resolved config spells everything out.
    if (!downloads() && mirrors != published) {
      check.no_effect("mirrors", root.empty() ? "download is false"
                                              : "root is given, and nothing else is tried");
    }
  }

  std::vector<std::string> published;  // mirrors
  std::string root_help;
};

}  // namespace vitrine
