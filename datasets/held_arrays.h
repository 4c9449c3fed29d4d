#pragma once

#include <map>

#include "datasets/array_images.h"
#include "datasets/class_numbers.h"
#include "datasets/file_images.h"
#include "datasets/test_share.h"
#include "framework/memory.h"

// Data sets of images and classes in arrays of a file or several, read whole.
namespace vitrine {

// An array that is read when it is wanted.
struct NamedArray {
  std::string name;  // what messages begin with
  std::string type;  // "float32"
  std::vector<int64_t> shape;
  std::function<Tensor()> read;  // of that shape; may be asked twice
  // Where images of bytes can be read one by one: the file, and where they begin in it.
  std::string file = {};
  uint64_t offset = 0;
};

// The whole of a file that fits into memory.
inline std::string read_whole(const std::string& path) {
  return read_file(require_there(path), available_memory());
}

// The arrays of a data set; labels are there for all of its sets, or for none, but for the test.
struct ArraySets {
  struct Set {
    NamedArray images;
    std::optional<NamedArray> labels;
  };
  Set train;
  std::optional<Set> test, validation;
  std::vector<std::string> said;   // for the user
  std::vector<std::string> names;  // of the classes; their numbers where there are none
};

struct HeldOptions : DatasetOptions {
  LayoutOptions images;
  TestShare test_share;
  std::vector<std::string> class_names;

  void visit(Fields& field) {
    DatasetOptions::visit(field);
    images.visit(field);
    test_share.visit(field);
    field("class_names", class_names,
          "names of the classes 0, 1, ...; numbers where none are given")
        .words({"classes", "label_names"});
  }
  bool draws_test() const { return test_share.share.value > 0; }
  void check(Check& check) const { images.check(check); }
};

class HeldArrays : public Dataset {
 public:
  HeldArrays(const HeldOptions& options, const DataContext& context)
      : held_(options), context_(context) {}

  DatasetInfo info() const override {
    const ArraySets& sets = arrays();
    const ImageLayout train = layout(sets.train);
    for (const ArraySets::Set* set : all())
      require_one_shape(train, sets.train, layout(*set), *set);
    DatasetInfo out{train.channels, train.height, train.width, {}, train.count, 0};
    out.columns = columns();
    if (sets.validation) out.validation = layout(*sets.validation).count;
    if (sets.test) {
      out.test = layout(*sets.test).count;
      out.test_has_labels = out.columns.empty() || sets.test->labels;
    } else {
      out.draws_split = true;
      out.test = drawn().test.size(0);
      out.train -= out.test;
    }
    return out;
  }

  Split load_train() override {
    if (arrays().test) return load(arrays().train);
    return part_of(whole(), drawn().train);
  }
  Split load_test() override {
    if (arrays().test) return load(*arrays().test);
    const Split all = whole();
    whole_.reset();
    return part_of(all, drawn().test);
  }
  Split load_validation() override { return load(*arrays().validation); }

 protected:
  // Finds the arrays. Throws Error(kData) where they are missing or no arrays. A test set that is
  // missing is no error where draws_test().
  virtual ArraySets find() const = 0;
  bool draws_test() const { return held_.draws_test(); }

 private:
  const ArraySets& arrays() const {
    if (!sets_) {
      ArraySets found = find();
      require_labels(found);
      if (found.test && draws_test()) held_.test_share.refuse(found.test->images.name);
      sets_ = std::move(found);
    }
    return *sets_;
  }
  static void require_labels(const ArraySets& sets) {
    const auto refuse = [](const ArraySets::Set& without, const ArraySets::Set& with) {
      refuse_data(without.images.name,
                  fmt::format("there are no labels for these images, as {} are for {}",
                              escape(with.labels->name), escape(with.images.name)));
    };
    for (const auto& other : {sets.test, sets.validation}) {
      if (other && other->labels && !sets.train.labels) refuse(sets.train, *other);
    }
    const auto& validation = sets.validation;
    if (validation && !validation->labels && sets.train.labels) refuse(*validation, sets.train);
  }
  std::vector<const ArraySets::Set*> all() const {
    std::vector<const ArraySets::Set*> out = {&arrays().train};
    if (arrays().test) out.push_back(&*arrays().test);
    if (arrays().validation) out.push_back(&*arrays().validation);
    return out;
  }

  // Where the test is drawn from the training images.
  DrawnTest drawn() const {
    const ArraySets::Set& train = arrays().train;
    std::vector<Tensor> labels;
    if (train.labels) labels = {classes(train)};
    return draw_test(layout(train).count, labels, columns(), held_.test_share.share,
                     held_.split_seed);
  }
  const Split& whole() {
    if (!whole_) whole_ = load(arrays().train);
    return *whole_;
  }

  ImageLayout layout(const ArraySets::Set& set) const {
    return layout_of(set.images.shape, held_.images, set.images.name);
  }
  static void require_one_shape(const ImageLayout& a, const ArraySets::Set& first,
                                const ImageLayout& b, const ArraySets::Set& second) {
    if (a.has_shape_of(b)) return;
    refuse_data(second.images.name,
                fmt::format("images of [{}, {}, {}], those of {} are [{}, {}, {}]: all must have "
                            "one shape",
                            b.channels, b.height, b.width, escape(first.images.name), a.channels,
                            a.height, a.width));
  }

  // As they stand in the file, one an image.
  Tensor numbers(const ArraySets::Set& set, std::string& said) const {
    const Tensor out = to_classes(set.labels->read(), set.labels->name, said);
    if (out.size(0) == set.images.shape[0]) return out;
    refuse_data(set.labels->name, fmt::format("{} labels, {} images in {}", out.size(0),
                                              set.images.shape[0], escape(set.images.name)));
  }
  Tensor classes(const ArraySets::Set& set) const {
    std::string unused;
    const Tensor out = numbers(set, unused);
    const std::optional<LabelIds>& ids = known_classes().ids;
    return ids ? ids->places(out) : out;
  }

  // What is known of classes once all labels are read.
  struct Classes {
    std::optional<LabelIds> ids;
    std::vector<std::string> names;
  };
  const Classes& known_classes() const {
    if (classes_) return *classes_;
    Classes out;
    std::vector<Tensor> labels;
    std::string unused;
    for (const ArraySets::Set* set : all()) {
      if (set->labels) labels.push_back(numbers(*set, unused));
    }
    out.names = !held_.class_names.empty() ? held_.class_names : arrays().names;
    out.ids = ids_of(labels, std::ssize(out.names));
    if (out.names.empty()) {
      out.names = numbered_classes(labels, out.ids, [&](const std::string& problem) {
        refuse_data(arrays().train.labels->name, problem);
      });
    }
    classes_ = std::move(out);
    return *classes_;
  }
  std::vector<LabelColumn> columns() const {
    if (!arrays().train.labels) return {};
    return class_column(known_classes().names);
  }

  // As they lie in the file.
  const Tensor& values(const ArraySets::Set& set) {
    Tensor& out = values_[&set];
    if (!out.defined()) out = set.images.read();
    return out;
  }

  // What pixels are multiplied by. All sets have one scale: a set in 0..1 may have no bright pixel.
  double scale(const ArraySets::Set& loaded) {
    const NamedArray& first = loaded.images;
    for (const ArraySets::Set* set : all()) {
      if (set->images.type == first.type) continue;
      refuse_data(set->images.name, fmt::format("{}, and {} is {}: all must be of one type",
                                                set->images.type, escape(first.name), first.type));
    }
    PixelRange range;
    for (const ArraySets::Set* set : all()) {
      const bool is_known = first.type == "uint8" && set != &loaded;
      if (!is_known && first.type != "bool") range.add(values(*set));
    }
    std::string words;
    const double out =
        pixel_scale(first.type, values(loaded).is_floating_point(), range, first.name, words);
    say(first.name, words);
    return out;
  }

  // All sets of one type, or none.
  bool streams(const ArraySets::Set& loaded) const {
    if (!context_.streams) return false;
    for (const ArraySets::Set* set : all()) {
      if (set->images.file.empty() || set->images.type != loaded.images.type) return false;
    }
    return true;
  }

  void say(const std::string& name, const std::string& words) const {
    if (!words.empty() && context_.tell) context_.tell(fmt::format("{}: {}", escape(name), words));
  }

  // Of the first set that is loaded: the others are alike.
  void tell_of(const ArraySets::Set& set, const ImageLayout& layout) {
    for (const std::string& words : arrays().said) {
      if (!words.empty() && context_.tell) context_.tell(words);
    }
    say(set.images.name, layout.said);
    if (context_.streams && !streams(set)) {
      say(set.images.name,
          "held in memory: only the bytes (uint8) of a file of their own, row-major, are read as "
          "they are wanted");
    }
  }

  Split load(const ArraySets::Set& set) {
    const ImageLayout layout = this->layout(set);
    if (!std::exchange(has_told_, true)) tell_of(set, layout);
    Split out;
    if (streams(set)) {
      out.source = std::make_shared<FileImages>(
          set.images.file, set.images.offset, layout.count,
          ImageSize{layout.channels, layout.height, layout.width}, layout.channels_last);
    } else {
      if (!scale_) scale_ = scale(set);
      out.images = to_pixels(values(set), layout, *scale_);
      values_.erase(&set);
    }
    if (set.labels) {
      std::string words;
      numbers(set, words);
      say(set.labels->name, words);
      if (const auto& ids = known_classes().ids; ids && &set == &arrays().train)
        say(set.labels->name, ids->words());
      out.labels = {classes(set)};
    }
    return out;
  }

  HeldOptions held_;
  DataContext context_;
  mutable std::optional<ArraySets> sets_;
  mutable std::optional<Classes> classes_;
  std::optional<Split> whole_;  // the training images, before the test is drawn from them
  std::map<const ArraySets::Set*, Tensor> values_;  // of sets that are not loaded yet
  std::optional<double> scale_;
  bool has_told_ = false;
};

}  // namespace vitrine
