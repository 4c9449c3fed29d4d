#include <fmt/format.h>
#include <fmt/ranges.h>

#include "datasets/folder_listing.h"
#include "datasets/test_share.h"
#include "framework/data/image_files.h"
#include "framework/data/tensor_words.h"
#include "framework/registry/register.h"

namespace vitrine {
namespace {

namespace fs = std::filesystem;
using Names = std::vector<std::string>;

struct Options : DatasetOptions {
  Path path;
  int64_t channels = 3;
  TestShare test;
  std::string on_error = "stop";
  Names values;

  Options() {
    size = 224;
    resize = "crop";
    test.share.value = 0.2;
  }

  void visit(Fields& field) {
    DatasetOptions::visit(field);
    field(
        "path", path,
        "folder with train/CLASS/*.jpg and test/CLASS/*.jpg (val/ too), or with CLASS/*.jpg alone; "
        "JPEG, PNG and WebP files; metadata.csv beside images tells labels in place of folders")
        .words({"root", "dir", "folder", "data_dir"});
    field("channels", channels, "1: all images are made grey, 3: coloured", between(1, 3))
        .words({"mode", "colour", "color"});
    test.visit(field);
    field("on_error", on_error,
          "stop: an image that cannot be read ends the run; skip: all are read once as the run "
          "begins, and those that cannot be are left out",
          one_of({"stop", "skip"}))
        .words({"skip_broken", "ignore_errors"});
    field("values", values,
          "columns of metadata.csv whose whole numbers are values, such as an age, and no classes")
        .words({"regression", "targets"});
  }
  void check(Check& check) const {
    if (path.empty()) check.error({}, "folder needs path, the folder with the images");
    if (channels == 2)
      check.error({"channels"}, "channels (2): images are grey (1) or coloured (3)");
  }
};

class Folder : public Dataset {
 public:
  Folder(const Options& options, const DataContext& context)
      : options_(options), context_(context) {}

  DatasetInfo info() const override {
    const auto there = listing();
    DatasetInfo out;
    out.channels = options_.channels;
    out.height = out.width = *options_.size;
    out.columns = there->columns;
    out.can_stream = true;
    out.train = std::ssize(*there->train.files);
    if (there->validation) out.validation = std::ssize(*there->validation->files);
    if (there->test) {
      out.test = std::ssize(*there->test->files);
      out.test_has_labels = there->columns.empty() || !there->test->labels.empty();
    } else {
      out.draws_split = true;
      out.test = drawn().test.size(0);
      out.train -= out.test;
    }
    return out;
  }

  Split load_train() override {
    tell_of_listing();
    const Split all = split_of(listing()->train);
    return listing()->test ? all : part_of(all, drawn().train);
  }
  Split load_validation() override { return split_of(*listing()->validation); }
  Split load_test() override {
    const auto there = listing();
    return there->test ? split_of(*there->test) : part_of(split_of(there->train), drawn().test);
  }

 private:
  fs::path root() const { return options_.path.value; }
  std::shared_ptr<const Listing> listing() const {
    auto out = listing_of({root(), options_.on_error == "skip", options_.values});
    // The default may stand there.
    if (out->test && options_.test.share.value != Options().test.share.value)
      options_.test.refuse((root() / out->test->name).string());
    return out;
  }

  DrawnTest drawn() const {
    const auto there = listing();
    return draw_test(std::ssize(*there->train.files), there->train.labels, there->columns,
                     options_.test.share, options_.split_seed);
  }

  void tell_of_listing() const {
    const auto there = listing();
    const auto count = [](const ListedImages& set) { return set.files->size(); };
    if (!there->test) {
      context_.tell(
          fmt::format("{} has no {}test/: {} of its images are kept apart for the test "
                      "(dataset.test_share)",
                      escape(root().string()), there->train.name.empty() ? "train/ and " : "",
                      drawn().test.size(0)));
    } else if (!there->validation && there->test->name.starts_with("val")) {
      context_.tell(fmt::format("{} is the test: there is no other",
                                escape((root() / there->test->name).string())));
    }
    if (const size_t broken = there->broken.size(); broken > 0) {
      const size_t all = broken + count(there->train) +
                         (there->validation ? count(*there->validation) : 0) +
                         (there->test ? count(*there->test) : 0);
      context_.tell(fmt::format("{}: {} of {} images cannot be read and {} left out: {}",
                                escape(root().string()), broken, all, broken == 1 ? "is" : "are",
                                some_of(there->broken)));
    }
    if (there->passed_over.empty()) return;
    Names words;
    for (const auto& [ending, count_of] : there->passed_over)
      words.push_back(fmt::format("{} ({})", escape(ending), count_of));
    context_.tell(fmt::format("{}: passed over as no JPEG, PNG or WebP: {}",
                              escape(root().string()), fmt::join(words, ", ")));
  }

  Split split_of(const ListedImages& set) const {
    Split out;
    out.source = std::make_shared<ImageFiles>(root(), set.files, options_.channels,
                                              options_.background.colour());
    out.labels = set.labels;
    return out;
  }

  Options options_;
  DataContext context_;
};

VITRINE_REGISTER(Dataset, Folder, Options,
                 "images in a folder for each class, or with a table: JPEG, PNG, WebP")

}  // namespace
}  // namespace vitrine
