#pragma once

#include <ATen/ops/index_select.h>
#include <fmt/format.h>

#include "framework/data/splits.h"
#include "framework/error.h"

// A test split of data that have none, drawn from the training images.
namespace vitrine {

// How many are drawn; 0 where none are.
struct TestShare {
  Amount share;

  void visit(Fields& field) {
    field("test_share", share,
          "how many training images are kept apart for the test, where there is no other: each "
          "class its share; split_seed decides which, whatever validation is")
        .words({"test_split", "test_size", "test_fraction", "test"});
  }
  // Throws Error(kUsage): `name` is the test already.
  [[noreturn]] void refuse(const std::string& name) const {
    throw Error(ExitCode::kUsage,
                fmt::format("dataset.test_share ({}) would have no effect: {} is the test",
                            share.value, escape(name)));
  }
};

// The images of these numbers, which are held or read as those of the whole.
inline Split part_of(const Split& whole, const Tensor& numbers) {
  Split out;
  if (whole.images.defined()) {
    out.images = whole.images.index_select(0, numbers);
  } else {
    const int64_t* first = numbers.const_data_ptr<int64_t>();
    out.source = std::make_shared<PartOfSource>(
        whole.source, std::vector<int64_t>(first, first + numbers.numel()));
  }
  for (const Tensor& labels : whole.labels) out.labels.push_back(labels.index_select(0, numbers));
  return out;
}

}  // namespace vitrine
