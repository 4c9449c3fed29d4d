#include <ATen/ops/equal.h>

#include <algorithm>

#include "framework/data/dataset.h"
#include "framework/error.h"
#include "tests/component.h"

// What holds for every data set that loads without files.
namespace vitrine {
namespace {

// Small and offline, by whichever of these options it has.
std::string small(const std::string& name) {
  const Component* component = Registry::instance().find("dataset", name);
  const auto options = component->make_options();
  Fields fields;
  component->visit(options.get(), fields);
  const auto names = fields.names();
  std::string out = "{type: " + name;
  for (const char* setting : {"train: 500", "test: 100", "download: false"}) {
    const std::string field = std::string(setting).substr(0, std::string(setting).find(':'));
    if (std::find(names.begin(), names.end(), field) != names.end())
      out += std::string(", ") + setting;
  }
  return out + "}";
}

std::shared_ptr<Dataset> make_loadable(const std::string& name) {
  if (!problems_of<Dataset>(small(name), {}).empty()) return nullptr;
  auto dataset = make<Dataset>(small(name), {});
  try {
    dataset->load_test();
  } catch (const Error& error) {
    CHECK(error.code() == ExitCode::kData);
    return nullptr;
  }
  return dataset;
}

void check_split(const Split& split, const DatasetInfo& info, int64_t size) {
  CHECK(split.images.scalar_type() == at::kByte);
  CHECK(split.images.is_contiguous());
  CHECK(split.images.sizes() == at::IntArrayRef({size, info.channels, info.height, info.width}));
  REQUIRE(split.labels.size() == info.columns.size());
  for (size_t i = 0; i < info.columns.size(); ++i) {
    const bool has_classes = info.columns[i].kind == LabelColumn::Kind::kClasses;
    CHECK(split.labels[i].scalar_type() == (has_classes ? at::kLong : at::kFloat));
    CHECK(split.labels[i].size(0) == size);
    CHECK(split.labels[i].numel() == size * (has_classes ? 1 : info.columns[i].size()));
  }
  check_labels(split, info.columns, "image");
}

TEST_CASE("every data set that loads is what it says, each time") {
  size_t loaded = 0;
  for (const std::string& name : Registry::instance().names("dataset")) {
    INFO(name);
    const auto dataset = make_loadable(name);
    if (!dataset) continue;
    ++loaded;
    const DatasetInfo info = dataset->info();
    const Split train = dataset->load_train(), test = dataset->load_test();
    check_split(train, info, info.train);
    check_split(test, info, info.test);
    const auto again = make<Dataset>(small(name), {});
    CHECK(at::equal(again->load_train().images, train.images));
    const Split same = again->load_test();
    for (size_t i = 0; i < info.columns.size(); ++i)
      CHECK(at::equal(same.labels[i], test.labels[i]));
    const std::string fingerprint = load_splits(*dataset, {}).fingerprint;
    CHECK(load_splits(*again, {}).fingerprint == fingerprint);
    CHECK(fingerprint.size() == 64);
  }
  CHECK(loaded > 0);
}

}  // namespace
}  // namespace vitrine
