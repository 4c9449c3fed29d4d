#pragma once

#include <ATen/ops/tensor.h>

#include <cstdlib>
#include <filesystem>

#include "framework/data/dataset.h"
#include "tests/component.h"
#include "tests/framework/files/numpy_files.h"
#include "tests/framework/files/support.h"

namespace vitrine {

// A folder of files, and what a data set says of them.
struct ArrayFixture {
  std::string path(const std::string& name) const { return folder / name; }
  std::string write(const std::string& name, const std::string& bytes) const {
    write_plain(folder / name, bytes);
    return path(name);
  }
  // Of these files of the folder, packed as numpy.savez_compressed does.
  std::string write_npz(const std::string& name, const std::string& files) const {
    const std::string command = "cd '" + folder.path().string() + "' && rm -f " + name +
                                " && python3 -m zipfile -c " + name + " " + files;
    REQUIRE(std::system(command.c_str()) == 0);
    return path(name);
  }
  // With `$` for the folder.
  std::shared_ptr<Dataset> dataset(std::string yaml) {
    for (size_t at = yaml.find('$'); at != yaml.npos; at = yaml.find('$'))
      yaml.replace(at, 1, folder.path());
    told.clear();
    DataContext context;
    context.tell = [this](const std::string& message) { told += without_folder(message) + "\n"; };
    return make<Dataset>(yaml, context);
  }
  std::string failure(const std::string& yaml) {
    const auto it = dataset(yaml);
    return without_folder(message_of(ExitCode::kData, [&] { load_splits(*it, {}); }));
  }
  std::string without_folder(std::string text) const {
    const std::string begin = folder.path().string() + "/";
    for (size_t at = text.find(begin); at != text.npos; at = text.find(begin))
      text.erase(at, begin.size());
    return text;
  }

  TemporaryFolder folder;
  std::string told;
};

inline std::vector<int64_t> shape_in(const DatasetInfo& info) {
  return {info.channels, info.height, info.width, info.train, info.test};
}
inline std::vector<int64_t> values_of(const Tensor& tensor) {
  const Tensor plain = tensor.to(at::kLong).contiguous().view({-1});
  return {plain.const_data_ptr<int64_t>(), plain.const_data_ptr<int64_t>() + plain.numel()};
}

}  // namespace vitrine
