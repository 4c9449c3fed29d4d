#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "framework/images/image.h"

// What a data set holds, as `runner data` tells and shows it.
namespace vitrine {

// A column of labels: how many images each class, or label, has in each of the splits.
struct DataColumn {
  std::string name;
  std::vector<std::string> names;            // of the classes, labels or values
  std::vector<std::vector<int64_t>> images;  // [split][class]; none where there are values
  struct Range {
    double least = 0, average = 0, most = 0;
  };
  std::vector<std::vector<Range>> ranges = {};  // [split][value]; none where there are classes
};

// Images of a split that another one has as well, byte for byte.
struct SharedImages {
  struct Pair {
    int64_t number = 0, other = 0;  // in the splits
    std::string name, other_name;   // what the images are called
    std::optional<Image> image = {};
  };
  std::string split, other;  // "test", "train"
  int64_t images = 0;        // of `split`
  std::vector<Pair> first = {};
};

struct ShownImage {
  std::string name;
  Image image;
};

// Training images of a class, or of all where there are no classes.
struct ShownClass {
  std::string name;
  std::vector<ShownImage> stored;     // as models are given them without what is random
  std::vector<ShownImage> augmented;  // draws of the first
};

struct DataView {
  std::string line;                   // "digits: 18000 images of 1 x 28 x 28 to train, ..."
  std::vector<std::string> findings;  // what looks like a mistake
  std::vector<std::string> splits;    // "train", "validation", "test": those that there are
  std::vector<int64_t> images;        // of each
  std::vector<DataColumn> columns;
  std::vector<SharedImages> shared;  // between splits
  int64_t unread = 0;                // images that were not compared: too much had to be read
  // Images, where they are asked for:
  std::vector<ShownClass> classes;             // where there are many, some of them
  int64_t all_classes = 0;                     // that there are
  std::vector<std::string> drawn;              // the transforms, as a config has them
  std::vector<std::string> mixes;              // the same of training.mix
  std::vector<std::vector<ShownImage>> mixed;  // batches
  std::string scaled;  // what was done to values beyond 0..1, in words; empty where nothing
};

}  // namespace vitrine
