#include <ATen/ops/from_blob.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <filesystem>
#include <future>

#include "framework/data/dataset.h"
#include "framework/error.h"
#include "framework/files/download.h"
#include "framework/files/file.h"
#include "framework/files/gzip.h"
#include "framework/files/idx.h"
#include "framework/files/paths.h"
#include "framework/files/sha256.h"
#include "framework/registry/register.h"

// MNIST, by Yann LeCun and Corinna Cortes: 60,000 and 10,000 grey images of 28 x 28 pixels of
// handwritten digits, in the four IDX files of yann.lecun.com/exdb/mnist.
namespace vitrine {
namespace {

namespace fs = std::filesystem;

struct File {
  const char* name;  // without .gz
  const char* sha256;
  std::vector<int64_t> shape;

  uint64_t bytes() const {  // decompressed
    return 4 + 4 * shape.size() + static_cast<uint64_t>(c10::multiply_integers(shape));
  }
};

const File kTrainImages = {"train-images-idx3-ubyte",
                           "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
                           {60000, 28, 28}};
const File kTrainLabels = {"train-labels-idx1-ubyte",
                           "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
                           {60000}};
const File kTestImages = {"t10k-images-idx3-ubyte",
                          "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
                          {10000, 28, 28}};
const File kTestLabels = {"t10k-labels-idx1-ubyte",
                          "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
                          {10000}};
const File* const kFiles[] = {&kTrainImages, &kTrainLabels, &kTestImages, &kTestLabels};

constexpr uint64_t kMaxDownload = 16 << 20;  // the largest file has 10 MB

struct Options : DatasetOptions {
  Path root;
  std::vector<std::string> mirrors = {"https://ossci-datasets.s3.amazonaws.com/mnist/",
                                      "https://storage.googleapis.com/cvdf-datasets/mnist/"};
  std::optional<bool> download;

  void visit(Fields& field) {
    DatasetOptions::visit(field);
    field("root", root,
          "folder with the four files, or with mnist/ that has them; no other is tried")
        .words({"dir", "folder", "data_dir", "data_root"});
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
    if (!downloads() && mirrors != Options().mirrors) {
      check.no_effect("mirrors", root.empty() ? "download is false"
                                              : "root is given, and nothing else is tried");
    }
  }
};

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value ? value : "";
}

// Raw if it is there, else gzipped; empty if neither is.
fs::path find_file(const fs::path& folder, const File& file) {
  for (const char* suffix : {"", ".gz"}) {
    const fs::path path = folder / (std::string(file.name) + suffix);
    std::error_code ignored;
    if (fs::is_regular_file(path, ignored)) return path;
  }
  return {};
}

std::vector<std::string> missing_in(const fs::path& folder) {
  std::vector<std::string> out;
  for (const File* file : kFiles) {
    if (find_file(folder, *file).empty()) out.push_back(file->name);
  }
  return out;
}

// Places to look in, each as P/mnist and as P.
std::vector<fs::path> places(const Path& root) {
  if (!root.empty()) return {root.value};
  std::vector<fs::path> out;
  std::string rest = environment("VITRINE_DATA");
  while (!rest.empty()) {
    const size_t colon = rest.find(':');
    if (colon != 0) out.emplace_back(expand_home(rest.substr(0, colon)));
    rest = colon == rest.npos ? "" : rest.substr(colon + 1);
  }
  for (const char* place : {"data", "../data", "../shared/data"}) out.emplace_back(place);
  if (!cache_folder("mnist").empty()) out.push_back(cache_folder("mnist").parent_path());
  return out;
}

// The file's decompressed bytes, which are exactly the published ones. Messages call it `name`.
std::string read_verified(const fs::path& path, const File& file, const std::string& name) {
  std::string bytes = read_file(path, std::max(file.bytes(), kMaxDownload));
  if (is_gzip(bytes)) bytes = gunzip(bytes, file.bytes(), name);
  const std::string digest = sha256_hex(bytes);
  if (digest == file.sha256) return bytes;
  parse_idx(bytes, name);  // says more where it is no IDX file, or a truncated one
  throw Error(ExitCode::kData,
              fmt::format("{}: wrong checksum: its SHA-256 is {}, that of MNIST's {} is {}",
                          escape(name), digest, file.name, file.sha256));
}

// A file that is gone in the end.
struct RemovedFile {
  fs::path path;
  ~RemovedFile() {
    std::error_code ignored;
    fs::remove(path, ignored);
  }
};

// Finds the folder that has the files, or makes it by downloading. Remembers what it tried.
class Finder {
 public:
  Finder(const Options& options, const DataContext& context)
      : options_(options), context_(context) {}

  fs::path folder() {
    for (const fs::path& place : places(options_.root)) {
      for (const fs::path& folder : {place / "mnist", place}) {
        if (has_all(folder)) return folder;
      }
    }
    if (options_.downloads() && downloaded()) return cache_folder("mnist");
    throw Error(ExitCode::kData, advice());
  }

 private:
  bool has_all(const fs::path& folder) {
    const auto missing = missing_in(folder);
    if (missing.empty()) return true;
    std::error_code ignored;
    const std::string why = !fs::is_directory(folder, ignored) ? "no such folder"
                            : missing.size() == std::size(kFiles)
                                ? "has none of the files"
                                : fmt::format("has no {}", fmt::join(missing, ", no "));
    std::error_code unknown;
    const fs::path whole = fs::absolute(folder, unknown).lexically_normal();
    tried((unknown ? folder : whole).string(), why);
    return false;
  }

  void tried(const std::string& what, const std::string& why) {
    tried_ += fmt::format("\n  {}: {}", escape(what), why);
  }

  bool downloaded() {
    const fs::path folder = cache_folder("mnist");
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
      context_.tell(fmt::format("downloading MNIST from {} into {}", escape(mirror),
                                escape(folder.string())));
    for (const File* file : kFiles) {
      if (find_file(folder, *file).empty()) download_file(mirror, folder, *file);
    }
  }

  // Only what was verified gets its name; it is kept raw, which loads faster than .gz.
  void download_file(const std::string& mirror, const fs::path& folder, const File& file) const {
    const std::string name = std::string(file.name) + ".gz";
    const std::string url = mirror + (mirror.ends_with('/') ? "" : "/") + name;
    const RemovedFile unverified{folder / fmt::format(".{}.{}.part", name, getpid())};
    download(url, unverified.path,
             {kMaxDownload, environment("VITRINE_CA_FILE"), context_.download_progress,
              context_.cancelled});
    write_file_atomically(folder / file.name, read_verified(unverified.path, file, url));
  }

  std::string advice() const {
    return "MNIST was not found. Tried (relative paths count from the current folder):" + tried_ +
           "\nSet VITRINE_DATA or dataset.root to a folder with its four files (" +
           fmt::format("{}, raw or .gz", fmt::join({kFiles[0]->name, kFiles[1]->name,
                                                    kFiles[2]->name, kFiles[3]->name},
                                                   ", ")) +
           "), or use dataset=digits, which needs no file.";
  }

  const Options& options_;
  const DataContext& context_;
  std::string tried_;
};

Tensor read_tensor(const fs::path& folder, const File& file) {
  const fs::path path = find_file(folder, file);
  auto bytes = std::make_shared<std::string>(read_verified(path, file, path.string()));
  char* data = bytes->data() + bytes->size() - c10::multiply_integers(file.shape);
  return at::from_blob(
      data, file.shape, [bytes](void*) {}, at::kByte);  // no copy: the bytes live with it
}

Split read_split(const fs::path& folder, const File& images, const File& labels) {
  return {
      read_tensor(folder, images).unsqueeze(1), {read_tensor(folder, labels).to(at::kLong)}, {}};
}

class Mnist : public Dataset {
 public:
  Mnist(const Options& options, const DataContext& context)
      : options_(options), context_(context) {}

  DatasetInfo info() const override {
    return {1,     28,   28, class_column({"0", "1", "2", "3", "4", "5", "6", "7", "8", "9"}),
            60000, 10000};
  }

  // The test files are read at the same time: whoever trains wants them next.
  Split load_train() override {
    find();
    test_ = std::async(std::launch::async, read_split, folder_, kTestImages, kTestLabels);
    return read_split(folder_, kTrainImages, kTrainLabels);
  }

  Split load_test() override {
    find();
    return test_.valid() ? test_.get() : read_split(folder_, kTestImages, kTestLabels);
  }

  // Loading admits no other content.
  std::string fingerprint() override {
    std::string digests;
    for (const File* file : kFiles) digests += file->sha256;
    return sha256_hex(digests);
  }

 private:
  void find() {
    if (folder_.empty()) folder_ = Finder(options_, context_).folder();
  }

  Options options_;
  DataContext context_;
  fs::path folder_;
  std::future<Split> test_;
};

VITRINE_REGISTER(Dataset, Mnist, Options,
                 "handwritten digits, 28 x 28 grey; downloaded where no folder has them")

}  // namespace
}  // namespace vitrine
