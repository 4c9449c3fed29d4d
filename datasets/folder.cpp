#include <ATen/ops/from_blob.h>
#include <ATen/ops/tensor.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <mutex>

#include "framework/cpus.h"
#include "framework/data/dataset.h"
#include "framework/data/image_files.h"
#include "framework/data/readers.h"
#include "framework/data/splits.h"
#include "framework/data/tensor_words.h"
#include "framework/error.h"
#include "framework/files/paths.h"
#include "framework/registry/register.h"

namespace vitrine {
namespace {

namespace fs = std::filesystem;
using Names = std::vector<std::string>;

struct Options : DatasetOptions {
  Path path;
  int64_t channels = 3;
  Amount test{0.2};
  std::string on_error = "stop";

  Options() {
    size = 224;
    resize = "crop";
  }

  void visit(Fields& field) {
    DatasetOptions::visit(field);
    field(
        "path", path,
        "folder with train/CLASS/*.jpg and test/CLASS/*.jpg (val/ too), or with CLASS/*.jpg alone; "
        "JPEG, PNG and WebP files")
        .words({"root", "dir", "folder", "data_dir"});
    field("channels", channels, "1: all images are made grey, 3: coloured", between(1, 3))
        .words({"mode", "colour", "color"});
    field("test", test,
          "how many images are kept apart for the test, each class its share, where no folder has "
          "them; split_seed decides which")
        .words({"test_split", "test_size"});
    field("on_error", on_error,
          "stop: an image that cannot be read ends the run; skip: all are read once as the run "
          "begins, and those that cannot be are left out",
          one_of({"stop", "skip"}))
        .words({"skip_broken", "ignore_errors"});
  }
  void check(Check& check) const {
    if (path.empty()) check.error({}, "folder needs path, the folder with the images");
    if (channels == 2)
      check.error({"channels"}, "channels (2): images are grey (1) or coloured (3)");
  }
};

// A folder of classes, or of all of them.
struct Set {
  std::string name;  // of the folder, below the root; empty where it is the root itself
  Names files;       // below the root
  std::vector<int64_t> labels;
};

// What lies in a folder.
struct Listing {
  Names classes;
  Set train;
  std::optional<Set> validation, test;
  Names broken;                                // what was left out, and why
  std::map<std::string, int64_t> passed_over;  // files that are no images, by their endings
  std::vector<std::pair<fs::path, fs::file_time_type>>
      folders;  // that were read, and when they changed
};

// Reads a folder with all that lies in it, in the order of the alphabet, links followed.
class Reader {
 public:
  explicit Reader(const fs::path& root) : root_(root) {}

  Listing read() {
    if (!is_folder(root_)) {
      std::error_code ignored;
      throw Error(ExitCode::kData,
                  fmt::format("{}: {}{}", escape(root_.string()),
                              fs::exists(root_, ignored) ? "is no folder" : "no such folder",
                              counted_from_here(root_.string())));
    }
    const auto train = find({"train", "training"});
    if (train.empty()) {
      out_.train = set_of("");
    } else {
      out_.train = set_of(train);
      const auto validation = find({"val", "valid", "validation", "dev"});
      const auto test = find({"test", "testing"});
      // Where one alone is there it is what is measured in the end.
      if (!test.empty()) out_.test = set_of(test);
      if (!validation.empty()) (test.empty() ? out_.test : out_.validation) = set_of(validation);
    }
    return std::move(out_);
  }

 private:
  static bool is_folder(const fs::path& path) {
    std::error_code ignored;
    return fs::is_directory(path, ignored);
  }

  std::string find(std::initializer_list<const char*> names) {
    for (const std::string name : names) {
      if (is_folder(root_ / name)) return name;
    }
    return "";
  }

  // Names of what lies in a folder, sorted; none of what is hidden.
  Names entries(const fs::path& folder) {
    std::error_code error;
    out_.folders.emplace_back(folder, fs::last_write_time(folder, error));
    Names out;
    for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
      std::string name = it->path().filename().string();
      if (!name.starts_with('.')) out.push_back(std::move(name));
    }
    if (error) {
      throw Error(ExitCode::kData,
                  fmt::format("cannot read {}: {}", escape(folder.string()), error.message()));
    }
    std::sort(out.begin(), out.end());
    return out;
  }

  Set set_of(const std::string& name) {
    Set out;
    out.name = name;
    const bool is_first = out_.classes.empty();
    const fs::path folder = name.empty() ? root_ : root_ / name;
    for (const std::string& entry : entries(folder)) {
      if (!is_folder(folder / entry)) {
        pass_over(entry);
        continue;
      }
      const auto known = std::find(out_.classes.begin(), out_.classes.end(), entry);
      const int64_t label = known - out_.classes.begin();
      const size_t before = out.files.size();
      add_files(out, name.empty() ? entry : name + "/" + entry);
      if (known == out_.classes.end() && out.files.size() > before && !is_first) {
        throw Error(ExitCode::kData,
                    fmt::format("{}: there is no class {} to train on; the classes are {}",
                                escape((folder / entry).string()), escape(entry),
                                some_of(out_.classes, ", ")));
      }
      if (known == out_.classes.end() && out.files.size() > before) out_.classes.push_back(entry);
      out.labels.resize(out.files.size(), label);
    }
    if (!out.files.empty()) return out;
    throw Error(ExitCode::kData, escape(folder.string()) +
                                     ": there are no images: a folder is wanted for each class, "
                                     "with JPEG, PNG or WebP files");
  }

  // What lies below a class's folder, however deep.
  void add_files(Set& set, const std::string& folder) {
    for (const std::string& entry : entries(root_ / folder)) {
      const std::string path = folder + "/" + entry;
      if (is_folder(root_ / path)) {
        add_files(set, path);
      } else if (is_image(entry)) {
        set.files.push_back(path);
      } else {
        pass_over(entry);
      }
    }
  }

  static std::string ending_of(const std::string& name) {
    std::string out = fs::path(name).extension().string();
    std::transform(out.begin(), out.end(), out.begin(),
                   [](unsigned char c) { return std::tolower(c); });
    return out;
  }
  static bool is_image(const std::string& name) {
    const std::string ending = ending_of(name);
    return ending == ".jpg" || ending == ".jpeg" || ending == ".png" || ending == ".webp";
  }
  void pass_over(const std::string& name) {
    const std::string ending = ending_of(name);
    ++out_.passed_over[ending.empty() ? "no ending" : ending];
  }

  fs::path root_;
  Listing out_;
};

// The part of a set whose flags are as wanted.
Set part_of(const Set& set, const std::vector<bool>& flags, bool wanted) {
  Set out;
  out.name = set.name;
  for (size_t i = 0; i < flags.size(); ++i) {
    if (flags[i] != wanted) continue;
    out.files.push_back(set.files[i]);
    out.labels.push_back(set.labels[i]);
  }
  return out;
}

// Takes out what cannot be read, for which all are decoded.
void leave_out_broken(const fs::path& root, Set& set, Names& broken) {
  const ImageFiles images(root, set.files, 3, kWhite);
  std::vector<std::string> problems(set.files.size());
  Readers(static_cast<int>(allowed_cpus())).run(images.size(), [&](int64_t i) {
    try {
      images.read(i);
    } catch (const Error& error) {
      problems[static_cast<size_t>(i)] = error.what();
    }
  });
  std::vector<bool> is_sound;
  for (const std::string& problem : problems) {
    is_sound.push_back(problem.empty());
    if (!problem.empty()) broken.push_back(problem);
  }
  set = part_of(set, is_sound, true);
}

std::shared_ptr<const Listing> read_listing(const fs::path& root, bool skips) {
  auto out = std::make_shared<Listing>(Reader(root).read());
  if (!skips) return out;
  leave_out_broken(root, out->train, out->broken);
  if (out->validation) leave_out_broken(root, *out->validation, out->broken);
  if (out->test) leave_out_broken(root, *out->test, out->broken);
  return out;
}

// A folder is asked for several times as a run begins; it is read anew only where it has changed.
std::shared_ptr<const Listing> listing_of(const fs::path& root, bool skips) {
  static std::mutex mutex;
  static std::map<std::pair<fs::path, bool>, std::shared_ptr<const Listing>> known;
  const std::lock_guard lock(mutex);
  std::error_code error;
  const auto is_same = [](const auto& folder) {
    std::error_code gone;
    return fs::last_write_time(folder.first, gone) == folder.second && !gone;
  };
  auto& listing = known[{fs::absolute(root, error), skips}];
  if (!listing || !std::all_of(listing->folders.begin(), listing->folders.end(), is_same))
    listing = read_listing(root, skips);
  return listing;
}

Tensor tensor_of(const std::vector<int64_t>& numbers) {
  return at::tensor(at::ArrayRef<int64_t>(numbers));
}

class Folder : public Dataset {
 public:
  Folder(const Options& options, const DataContext& context)
      : options_(options), context_(context) {}

  DatasetInfo info() const override {
    const auto [train, validation, test] = sets();
    DatasetInfo out;
    out.channels = options_.channels;
    out.height = out.width = *options_.size;
    out.columns = class_column(listing()->classes);
    out.can_stream = true;
    out.draws_split = !listing()->test;
    out.train = std::ssize(train.files);
    out.test = std::ssize(test.files);
    out.validation = validation ? std::ssize(validation->files) : 0;
    return out;
  }

  Split load_train() override {
    tell_of_listing();
    return split_of(sets().train);
  }
  Split load_validation() override { return split_of(*sets().validation); }
  Split load_test() override { return split_of(sets().test); }

 private:
  struct Sets {
    Set train;
    std::optional<Set> validation;
    Set test;
  };

  fs::path root() const { return options_.path.value; }
  std::shared_ptr<const Listing> listing() const {
    return listing_of(root(), options_.on_error == "skip");
  }

  Sets sets() const {
    const auto there = listing();
    if (there->test) return {there->train, there->validation, *there->test};
    const int64_t images = std::ssize(there->train.files);
    const int64_t wanted = options_.test.of(images);
    if (wanted < 1 || wanted >= images) {
      throw Error(ExitCode::kUsage,
                  fmt::format("dataset.test ({}) of {} images {}", options_.test.value, images,
                              wanted < 1 ? "is less than one image" : "leaves no training image"));
    }
    const auto flags = chosen_share(tensor_of(there->train.labels), wanted,
                                    static_cast<uint64_t>(options_.split_seed), ShareOf::kTest);
    if (const auto emptied = emptied_class(tensor_of(there->train.labels), flags)) {
      throw Error(ExitCode::kUsage,
                  fmt::format("dataset.test ({}) takes all {} images of the class {}: none is left "
                              "to train on",
                              options_.test.value, emptied->images,
                              escape(there->classes[static_cast<size_t>(emptied->number)])));
    }
    return {part_of(there->train, flags, false), there->validation,
            part_of(there->train, flags, true)};
  }

  void tell_of_listing() const {
    const auto there = listing();
    if (!there->test) {
      context_.tell(fmt::format(
          "{} has no train/ and test/: {} of its images are kept apart for the test (dataset.test)",
          escape(root().string()), sets().test.files.size()));
    } else if (!there->validation && there->test->name.starts_with("val")) {
      context_.tell(fmt::format("{} is the test: there is no other",
                                escape((root() / there->test->name).string())));
    }
    if (const size_t broken = there->broken.size(); broken > 0) {
      const size_t all = broken + there->train.files.size() +
                         (there->validation ? there->validation->files.size() : 0) +
                         (there->test ? there->test->files.size() : 0);
      context_.tell(fmt::format("{}: {} of {} images cannot be read and {} left out: {}",
                                escape(root().string()), broken, all, broken == 1 ? "is" : "are",
                                some_of(there->broken)));
    }
    if (there->passed_over.empty()) return;
    Names words;
    for (const auto& [ending, count] : there->passed_over)
      words.push_back(fmt::format("{} ({})", escape(ending), count));
    context_.tell(fmt::format("{}: passed over as no JPEG, PNG or WebP: {}",
                              escape(root().string()), fmt::join(words, ", ")));
  }

  Split split_of(const Set& set) const {
    Split out;
    out.source = std::make_shared<ImageFiles>(root(), set.files, options_.channels,
                                              options_.background.colour());
    out.labels = {tensor_of(set.labels)};
    return out;
  }

  Options options_;
  DataContext context_;
};

VITRINE_REGISTER(Dataset, Folder, Options, "images in a folder for each class: JPEG, PNG, WebP")

}  // namespace
}  // namespace vitrine
