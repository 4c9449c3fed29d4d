#pragma once

#include <filesystem>

#include "framework/data/label_column.h"
#include "framework/tensor.h"

// Labels of images from a table beside them, as Hugging Face's imagefolder has it: metadata.csv,
// with a column file_name and one for each thing that is told of an image.
namespace vitrine {

inline constexpr const char* kMetadata = "metadata.csv";

struct MetadataTable {
  std::string path;
  std::vector<std::string> columns;             // but for file_name
  std::vector<int64_t> lines;                   // in the table, of each image
  std::vector<std::vector<std::string>> cells;  // of each column, of each image
};

// The table of a folder, in the order of `files`, the paths of its images below it. Throws
// Error(kData), with the line, where one of them is missing in it, stands in it twice, or is not
// there.
MetadataTable read_metadata(const std::filesystem::path& folder,
                            const std::vector<std::string>& files);

struct MetadataLabels {
  std::vector<LabelColumn> columns;
  std::vector<std::vector<Tensor>> of_tables;  // of each table, of each column, as Split has them
};

// What the tables tell, the first of which is that of the training images. A column is of values
// where all of it are numbers and one has a point, or `values` names it; else of classes, those of
// the first table, in the order of the alphabet, or of numbers. Throws Error(kData), with the line,
// for a class that is in another table alone.
MetadataLabels labels_of(const std::vector<MetadataTable>& tables,
                         const std::vector<std::string>& values);

}  // namespace vitrine
