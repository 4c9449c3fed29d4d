#pragma once

#include <set>

#include "framework/data/dataset.h"
#include "framework/files/safetensors.h"

namespace vitrine {

// A safetensors file with images and labels: SET/images, SET/labels and SET/labels/NAME, where a
// set is train, test or validation. Its header is read at once, each tensor when it is wanted. All
// functions throw Error(kData), which begins with the path.
class ArraysFile {
 public:
  explicit ArraysFile(const std::string& path);

  // The columns of labels: first the one without a name, then by the alphabet. Of classes names are
  // left open.
  const std::vector<LabelColumn>& columns() const { return columns_; }

  std::vector<std::string> sets() const;
  // Whether a set has labels of the columns; test images may have none.
  bool has_labels(const std::string& set) const;
  bool has_validation() const { return file_.find("validation/images") != nullptr; }

  // What whoever packed it calls the classes, labels or values of a column; empty where nothing is
  // told.
  std::vector<std::string> told_names(const std::string& column) const;

  // [N, C, H, W]; of one channel where the file has [N, H, W].
  std::vector<int64_t> shape_of(const std::string& set) const;
  Tensor read_images(const std::string& set) const;
  // Where the images of a set begin in the file.
  uint64_t offset_of(const std::string& set) const { return offset_of(tensor(set + "/images")); }
  // Of each kind as Split has them.
  Tensor read_labels(const std::string& set, const LabelColumn& column) const;

  // The tensors that are neither images nor labels, as they are shown.
  std::vector<std::string> unused() const;

  [[noreturn]] void fail(const std::string& problem) const;

 private:
  std::set<std::string> columns_in(const std::string& set) const;
  const TensorView& tensor(const std::string& name) const;
  void check_images(const std::string& set) const;
  void check_column(const std::string& given);
  LabelColumn column_of(const std::string& set, const std::string& name) const;
  uint64_t offset_of(const TensorView& wanted) const;
  void read(const TensorView& wanted, char* out, size_t count) const;

  std::string path_;
  Safetensors file_;
  std::vector<LabelColumn> columns_;
};

}  // namespace vitrine
