#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <optional>

#include "framework/data/label_column.h"
#include "framework/tensor.h"

// What lies in a folder of images.
namespace vitrine {

// The images of one of its folders, in the order of the alphabet.
struct ListedImages {
  std::string name;  // of that folder, below the root; empty where it is the root itself
  std::shared_ptr<const std::vector<std::string>> files;  // paths below the root
  std::vector<Tensor> labels;  // of each column, as Split has them; none where nothing tells them
};

struct Listing {
  std::vector<LabelColumn> columns;
  ListedImages train;
  std::optional<ListedImages> validation, test;
  std::vector<std::string> broken;             // what was left out, and why
  std::map<std::string, int64_t> passed_over;  // files that are no images, by their endings
};

struct ListingRequest {
  std::filesystem::path root;
  bool skips = false;               // what cannot be read is left out, for which all are decoded
  std::vector<std::string> values;  // columns of metadata.csv whose whole numbers are values
};

// Labels are told by folders, one for each class, or by the metadata.csv of train/, val/ and test/,
// or of the root where there is no train/. Test images may have no labels. It is asked for several
// times as a run begins, and reads a folder anew only where that has changed. Throws Error(kData).
std::shared_ptr<const Listing> listing_of(const ListingRequest& request);

}  // namespace vitrine
