#include <map>

#include "framework/config/fields.h"
#include "framework/config/units.h"
#include "tests/catch.h"

namespace vitrine {
namespace {

struct Stopping {
  int64_t patience = 5;

  void visit(Fields& field) { field("patience", patience, ""); }
};

struct Training {
  int64_t epochs = 5, log_every = 50;
  std::optional<Stopping> stopping;

  void visit(Fields& field) {
    field("epochs", epochs, "").may_change(OnResume::kExactly);
    field("log_every", log_every, "").is(Role::kBookkeeping);
    field("stopping", stopping, "").may_change(OnResume::kMarked);
  }
};

struct Experiment {
  int64_t seed = 0;
  Path weights;
  Training training;
  std::vector<int64_t> sizes = {7};

  void visit(Fields& field) {
    field("seed", seed, "").is(Role::kReplicate);
    field("weights", weights, "").tested();
    field("training", training, "");
    field("sizes", sizes, "");
  }
};

std::map<std::string, Key> keys(Experiment& experiment) {
  Experiment untouched;
  std::map<std::string, Key> out;
  for (const Key& key : keys_of(fields_of(experiment), fields_of(untouched))) out[key.path] = key;
  return out;
}

TEST_CASE("a field's role holds for what stands below it, unless that says otherwise") {
  Experiment experiment;
  experiment.training.stopping.emplace();
  auto all = keys(experiment);
  CHECK(all.size() == 6);
  CHECK(all["seed"].role == Role::kReplicate);
  CHECK(all["seed"].on_resume == OnResume::kNever);
  CHECK(all["training.epochs"].role == Role::kResult);
  CHECK(all["training.epochs"].on_resume == OnResume::kExactly);
  CHECK(all["training.log_every"].role == Role::kBookkeeping);
  CHECK(all["training.log_every"].on_resume == OnResume::kExactly);
  CHECK(all["training.stopping.patience"].on_resume == OnResume::kMarked);
  CHECK(all["sizes"].role == Role::kResult);
  CHECK(all["sizes"].on_resume == OnResume::kNever);
}

TEST_CASE("a path is a place by itself") {
  Experiment experiment;
  auto all = keys(experiment);
  CHECK(all["weights"].role == Role::kPlace);
  CHECK(all["weights"].on_test);
  CHECK_FALSE(all["seed"].on_test);
}

TEST_CASE("keys tell whether their value is the default") {
  Experiment experiment;
  experiment.training.epochs = 6;
  experiment.sizes = {7, 7};
  auto all = keys(experiment);
  CHECK(all["training.stopping"].is_default);  // it is off
  CHECK_FALSE(all["training.epochs"].is_default);
  CHECK(all["training.log_every"].is_default);
  CHECK_FALSE(all["sizes"].is_default);
}

}  // namespace
}  // namespace vitrine
