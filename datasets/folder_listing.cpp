#include "datasets/folder_listing.h"

#include <ATen/ops/tensor.h>
#include <fmt/format.h>

#include <algorithm>
#include <mutex>
#include <tuple>

#include "datasets/folder_metadata.h"
#include "framework/cpus.h"
#include "framework/data/image_files.h"
#include "framework/data/readers.h"
#include "framework/data/tensor_words.h"
#include "framework/error.h"
#include "framework/files/paths.h"

namespace vitrine {
namespace {

namespace fs = std::filesystem;
using Names = std::vector<std::string>;

bool is_folder(const fs::path& path) {
  std::error_code ignored;
  return fs::is_directory(path, ignored);
}

bool is_file(const fs::path& path) {
  std::error_code ignored;
  return fs::is_regular_file(path, ignored);
}

std::string ending_of(const std::string& name) {
  std::string out = fs::path(name).extension().string();
  std::transform(out.begin(), out.end(), out.begin(),
                 [](unsigned char c) { return std::tolower(c); });
  return out;
}

bool is_image(const std::string& name) {
  const std::string ending = ending_of(name);
  return ending == ".jpg" || ending == ".jpeg" || ending == ".png" || ending == ".webp";
}

// What is read of a folder, and when that changed.
using Visited = std::vector<std::pair<fs::path, fs::file_time_type>>;

// The images of a folder before their labels are known.
struct Found {
  std::string name;
  Names files;                   // below the root
  std::vector<int64_t> classes;  // of each image; none where folders tell none
  std::optional<MetadataTable> table;
};

// Reads a folder with all that lies in it, in the order of the alphabet, links followed.
class Reader {
 public:
  explicit Reader(const ListingRequest& request) : root_(request.root), values_(request.values) {}

  Listing read() {
    if (!is_folder(root_)) {
      std::error_code ignored;
      throw Error(ExitCode::kData,
                  fmt::format("{}: {}{}", escape(root_.string()),
                              fs::exists(root_, ignored) ? "is no folder" : "no such folder",
                              counted_from_here(root_.string())));
    }
    visit(root_);  // where another of these folders may appear
    const std::string train = find({"train", "training"});
    has_tables_ = is_file(place(train) / kMetadata);
    if (!train.empty() && !has_tables_ && is_file(root_ / kMetadata)) {
      refuse_data((root_ / kMetadata).string(),
                  fmt::format("it is not read where there is {}/: each of train, val and test has "
                              "a table of its own",
                              train));
    }
    std::vector<Found> found = {set_of(train, false)};
    bool has_test = false, has_validation = false;
    if (!train.empty()) {
      const std::string validation = find({"val", "valid", "validation", "dev"});
      const std::string test = find({"test", "testing"});
      // Where one alone is there it is what is measured in the end.
      has_test = !test.empty() || !validation.empty();
      has_validation = !test.empty() && !validation.empty();
      if (has_test) found.push_back(set_of(test.empty() ? validation : test, true));
      if (has_validation) found.push_back(set_of(validation, false));
    }
    std::vector<ListedImages> sets = labelled(found);
    out_.train = std::move(sets[0]);
    if (has_test) out_.test = std::move(sets[1]);
    if (has_validation) out_.validation = std::move(sets[2]);
    return std::move(out_);
  }
  Visited visited() const { return visited_; }

 private:
  // A folder below the root, or the root itself.
  fs::path place(const std::string& name) const { return name.empty() ? root_ : root_ / name; }

  std::string find(std::initializer_list<const char*> names) {
    for (const std::string name : names) {
      if (is_folder(root_ / name)) return name;
    }
    return "";
  }

  void visit(const fs::path& path) {
    std::error_code gone;
    visited_.emplace_back(path, fs::last_write_time(path, gone));
  }

  // Names of what lies in a folder, sorted; none of what is hidden.
  Names entries(const fs::path& folder) {
    visit(folder);
    std::error_code error;
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

  Found set_of(const std::string& name, bool is_test) {
    Found out;
    out.name = name;
    const fs::path folder = place(name), table = folder / kMetadata;
    const bool has_table = is_file(table);
    if (has_table && !has_tables_)
      refuse_data(table.string(), "the training images have none: folders tell their classes");
    if (has_tables_) {
      add_files(out.files, name);
    } else {
      add_classes(out);
      if (out.files.empty() && is_test) add_images(out.files, name);
    }
    if (out.files.empty()) {
      throw Error(ExitCode::kData,
                  escape(folder.string()) +
                      ": there are no images: a folder is wanted for each class, with JPEG, PNG or "
                      "WebP files" +
                      (has_tables_ ? ", or " + std::string(kMetadata) + " beside them" : ""));
    }
    if (has_table) {
      visit(table);
      out.table = read_metadata(folder, below(out.files, name));
    } else if (has_tables_ && !is_test) {
      refuse_data(table.string(),
                  "no such file: it has to tell of these images as that of the "
                  "training images does");
    }
    return out;
  }

  static Names below(const Names& files, const std::string& folder) {
    Names out = files;
    for (std::string& file : out) file = folder.empty() ? file : file.substr(folder.size() + 1);
    return out;
  }

  static std::string joined(const std::string& folder, const std::string& name) {
    return folder.empty() ? name : folder + "/" + name;
  }

  // Those of a folder for each class.
  void add_classes(Found& out) {
    const bool is_first = out_.columns.empty();
    if (is_first) out_.columns = class_column({});
    Names& classes = out_.columns[0].names;
    const fs::path folder = place(out.name);
    Names beside;
    for (const std::string& entry : entries(folder)) {
      if (!is_folder(folder / entry)) {
        beside.push_back(entry);
        continue;
      }
      const auto known = std::find(classes.begin(), classes.end(), entry);
      const int64_t label = known - classes.begin();
      const size_t before = out.files.size();
      add_files(out.files, joined(out.name, entry));
      if (known == classes.end() && out.files.size() > before && !is_first) {
        throw Error(
            ExitCode::kData,
            fmt::format("{}: there is no class {} to train on; the classes are {}",
                        escape((folder / entry).string()), escape(entry), some_of(classes, ", ")));
      }
      if (known == classes.end() && out.files.size() > before) classes.push_back(entry);
      out.classes.resize(out.files.size(), label);
    }
    // Where there are no classes, they may be the images themselves.
    for (const std::string& entry : beside) {
      if (!out.files.empty() || !is_image(entry)) pass_over(entry);
    }
  }

  // Those that lie in it themselves.
  void add_images(Names& files, const std::string& folder) {
    for (const std::string& entry : entries(place(folder))) {
      if (is_image(entry) && !is_folder(root_ / folder / entry))
        files.push_back(joined(folder, entry));
    }
  }

  // What lies below a folder, however deep.
  void add_files(Names& files, const std::string& folder) {
    for (const std::string& entry : entries(place(folder))) {
      const std::string path = joined(folder, entry);
      if (is_folder(root_ / path)) {
        add_files(files, path);
      } else if (is_image(entry)) {
        files.push_back(path);
      } else if (!has_tables_ || entry != kMetadata) {
        pass_over(entry);
      }
    }
  }

  void pass_over(const std::string& name) {
    const std::string ending = ending_of(name);
    ++out_.passed_over[ending.empty() ? "no ending" : ending];
  }

  std::vector<ListedImages> labelled(std::vector<Found>& found) {
    MetadataLabels told;
    if (has_tables_) {
      std::vector<MetadataTable> tables;
      for (Found& set : found) {
        if (set.table) tables.push_back(std::move(*set.table));
      }
      told = labels_of(tables, values_);
      out_.columns = std::move(told.columns);
    } else if (!values_.empty()) {
      refuse_data((place(found[0].name) / kMetadata).string(),
                  "no such file: dataset.values names columns of it");
    }
    std::vector<ListedImages> out;
    size_t tables = 0;
    for (Found& set : found) {
      ListedImages one{set.name, std::make_shared<const Names>(std::move(set.files)), {}};
      if (set.table) one.labels = std::move(told.of_tables[tables++]);
      if (!set.classes.empty()) one.labels = {at::tensor(set.classes, at::kLong)};
      out.push_back(std::move(one));
    }
    return out;
  }

  fs::path root_;
  Names values_;
  bool has_tables_ = false;
  Visited visited_;
  Listing out_;
};

// Takes out what cannot be read.
void leave_out_broken(const fs::path& root, ListedImages& set, Names& broken) {
  const ImageFiles images(root, set.files, 3, kWhite);
  std::vector<std::string> problems(set.files->size());
  Readers(static_cast<int>(allowed_cpus())).run(images.size(), [&](int64_t i) {
    try {
      images.read(i);
    } catch (const Error& error) {
      problems[static_cast<size_t>(i)] = error.what();
    }
  });
  Names sound;
  std::vector<int64_t> numbers;
  for (size_t i = 0; i < problems.size(); ++i) {
    if (!problems[i].empty()) {
      broken.push_back(problems[i]);
    } else {
      sound.push_back((*set.files)[i]);
      numbers.push_back(static_cast<int64_t>(i));
    }
  }
  if (sound.size() == problems.size()) return;
  set.files = std::make_shared<const Names>(std::move(sound));
  for (Tensor& labels : set.labels) labels = labels.index_select(0, at::tensor(numbers, at::kLong));
}

struct Known {
  std::shared_ptr<const Listing> listing;
  Visited visited;
};

Known read_listing(const ListingRequest& request) {
  Reader reader(request);
  auto out = std::make_shared<Listing>(reader.read());
  if (request.skips) {
    leave_out_broken(request.root, out->train, out->broken);
    if (out->validation) leave_out_broken(request.root, *out->validation, out->broken);
    if (out->test) leave_out_broken(request.root, *out->test, out->broken);
  }
  return {out, reader.visited()};
}

}  // namespace

std::shared_ptr<const Listing> listing_of(const ListingRequest& request) {
  static std::mutex mutex;
  static std::map<std::tuple<fs::path, bool, Names>, Known> all;
  const std::lock_guard lock(mutex);
  std::error_code error;
  const auto is_same = [](const auto& visited) {
    std::error_code gone;
    return fs::last_write_time(visited.first, gone) == visited.second && !gone;
  };
  Known& known = all[{fs::absolute(request.root, error), request.skips, request.values}];
  if (!known.listing || !std::all_of(known.visited.begin(), known.visited.end(), is_same))
    known = read_listing(request);
  return known.listing;
}

}  // namespace vitrine
