#include "framework/comparing/differences.h"

#include "framework/comparing/comparison.h"
#include "framework/comparing/comparison_table.h"
#include "framework/comparing/comparison_text.h"
#include "tests/catch.h"
#include "tests/framework/comparing/support.h"

namespace vitrine {
namespace {

using Json = nlohmann::ordered_json;
using Texts = std::vector<std::string>;

std::vector<RunRecord> variant(const std::function<void(Metrics&)>& change,
                               const std::vector<double>& accuracies = {0.5, 0.52, 0.51}) {
  Metrics metrics = example_run();
  change(metrics);
  return seeds_of(metrics, accuracies);
}

std::vector<RunRecord> operator+(std::vector<RunRecord> a, const std::vector<RunRecord>& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

Comparison compared(const std::vector<RunRecord>& runs, const KeyOptions& keys = {}) {
  return compare_runs(pointers_to(runs), {"", {}, keys});
}

Texts labels(const Comparison& comparison) {
  Texts out;
  for (const Group& group : comparison.groups) out.push_back(group.label);
  return out;
}

const auto nothing = [](Metrics&) {};
const auto sgd = [](Metrics& m) {
  m.config["optimizer"] = {{"type", "sgd"}, {"lr", 0.005}, {"momentum", 0}, {"nesterov", false}};
};

TEST_CASE("what follows from a type is no difference of its own", "[reports]") {
  const auto runs = variant(nothing) + variant(sgd);
  CHECK(compared(runs).keys == Texts{"optimizer"});
  CHECK(labels(compared(runs)) == Texts{"optimizer=adam", "optimizer=sgd"});
}

TEST_CASE("an option that one type alone has counts where somebody set it", "[reports]") {
  const auto runs = variant(nothing) + variant([](Metrics& m) {
                      sgd(m);
                      m.config["optimizer"]["momentum"] = 0.9;
                      m.keys["set"] = {"optimizer.momentum"};
                    });
  CHECK(compared(runs).keys == Texts{"optimizer", "optimizer.momentum"});
  CHECK(labels(compared(runs)) == Texts{"optimizer=adam", "optimizer=sgd (momentum 0.9)"});
}

TEST_CASE("an option that both types have always counts", "[reports]") {
  const auto runs = variant(nothing) + variant([](Metrics& m) {
                      sgd(m);
                      m.config["optimizer"]["lr"] = 0.001;
                    });
  CHECK(compared(runs).keys == Texts{"optimizer", "optimizer.lr"});
  CHECK(labels(compared(runs)) == Texts{"optimizer=adam (lr 0.005)", "optimizer=sgd (lr 0.001)"});
  // One that varies for itself is told for itself.
  const auto more = runs + variant([](Metrics& m) { m.config["optimizer"]["lr"] = 0.1; });
  CHECK(labels(compared(more)) ==
        Texts{"optimizer=adam lr=0.005", "optimizer=sgd lr=0.001", "optimizer=adam lr=0.1"});
}

TEST_CASE("a mapping that is turned on parts runs, even with all its defaults", "[reports]") {
  const auto runs = variant([](Metrics& m) { m.config["training"]["early_stopping"] = nullptr; }) +
                    variant([](Metrics& m) {
                      m.config["training"]["early_stopping"] = {{"patience", 5}};
                    });
  CHECK(compared(runs).keys == Texts{"training.early_stopping"});
  CHECK(labels(compared(runs)) == Texts{"early_stopping=null", "early_stopping=on"});
}

TEST_CASE("of a place its content counts", "[reports]") {
  const auto at = [](const std::string& place, const std::string& digest) {
    return [=](Metrics& m) {
      m.config["model"]["weights"] = "/home/a/" + place;
      m.contents["model.weights"] = digest;
    };
  };
  const std::string one(64, '1'), two(64, '2');
  auto runs = variant(at("A/w", one)) + variant(at("B/w", one));
  for (size_t i = 3; i < 6; ++i) runs[i].metrics.seed = static_cast<int64_t>(i);
  CHECK(compared(runs).keys.empty());
  REQUIRE(compared(runs).groups.size() == 1);
  CHECK(compared(runs).groups[0].counted.size() == 6);
  const auto others = variant(at("A/w", one)) + variant(at("B/w", two));
  CHECK(labels(compared(others)) == Texts{"weights=A/w", "weights=B/w"});
  const auto replaced = variant(at("A/w", one)) + variant(at("A/w", two));
  CHECK(labels(compared(replaced)) == Texts{"weights=A/w 11111111", "weights=A/w 22222222"});
  const auto without = variant([](Metrics& m) { m.config["model"]["weights"] = nullptr; });
  CHECK(labels(compared(without + variant(at("A/w", one)))) == Texts{"weights=-", "weights=A/w"});
}

TEST_CASE("how runs were computed parts them only where that is asked for", "[reports]") {
  const auto layers = [](Metrics& m) {
    m.config["backend"] = "layers";
    m.execution["backend"] = {{"value", "layers"}, {"derived", false}, {"why", "asked for"}};
  };
  const auto runs = variant(nothing) + variant(layers);
  CHECK(compared(runs).groups.size() == 1);
  CHECK(compared(runs, {.by = {"backend"}}).keys == Texts{"backend"});
  CHECK(labels(compared(runs, {.by = {"backend"}})) == Texts{"backend=fused", "backend=layers"});
}

// Folds of one seed.
std::vector<RunRecord> folds(int64_t hidden_d) {
  std::vector<RunRecord> out;
  for (int fold = 0; fold < 4; ++fold) {
    Metrics metrics = example_run(0, 0.5 + 0.01 * fold + 0.001 * static_cast<double>(hidden_d));
    metrics.config["dataset"] = {{"type", "digits"}, {"split_seed", fold}};
    metrics.config["model"]["hidden_d"] = hidden_d;
    out.push_back(record_of(metrics, "runs/" + std::to_string(hidden_d) + std::to_string(fold)));
  }
  return out;
}

TEST_CASE("another key is the replicate where that is asked for", "[reports]") {
  const auto runs = folds(8) + folds(16);
  CHECK(compared(runs).groups.size() == 8);
  const Comparison comparison = compared(runs, {.over = {"dataset.split_seed"}});
  CHECK(comparison.replicate == Texts{"dataset.split_seed"});
  CHECK(labels(comparison) == Texts{"hidden_d=8", "hidden_d=16"});
  CHECK(comparison.groups[0].counted.size() == 4);
  CHECK(headline(comparison) ==
        "hidden_d=16 +0.80 points, 95 % [0.80, 0.80], 4 paired split_seeds\n"
        "test/accuracy: hidden_d=16 is better than hidden_d=8 (paired t test, p < 0.0001)");
  CHECK(table_of(comparison, {}).columns[1].cells[0] == "split_seeds");
}

TEST_CASE("runs name what repeats them", "[reports]") {
  auto runs = folds(8);
  for (size_t i = 0; i < runs.size(); ++i) {
    runs[i].metrics.seed = static_cast<int64_t>(i);
    runs[i].metrics.keys["replicate"] = {"seed", "dataset.split_seed"};
  }
  const Comparison comparison = compared(runs);
  CHECK(comparison.replicate == Texts{"seed", "dataset.split_seed"});
  REQUIRE(comparison.groups.size() == 1);
  CHECK(comparison.groups[0].counted.size() == 4);
  CHECK(replicate_word(comparison) == "repeat");
}

TEST_CASE("what is ignored is pooled and marked", "[reports]") {
  auto runs = variant(nothing) + variant([](Metrics& m) { m.environment["git"] = "other"; });
  for (size_t i = 3; i < 6; ++i) runs[i].metrics.seed = static_cast<int64_t>(i);
  CHECK(compared(runs).groups.size() == 2);
  const Comparison pooled = compared(runs, {.ignore = {"environment.git"}});
  REQUIRE(pooled.groups.size() == 1);
  CHECK(pooled.groups[0].counted.size() == 6);
  CHECK(pooled.groups[0].marks == Texts{"pooled over environment.git"});
}

TEST_CASE("a run that a resume made another experiment stands apart", "[reports]") {
  const auto runs = variant(nothing) + variant([](Metrics& m) {
                      m.changes = {{100, "optimizer.lr", 0.01, 0.005, false}};
                      m.exact = false;
                    });
  CHECK(labels(compared(runs)) ==
        Texts{"changes=-", "changes=optimizer.lr 0.01 -> 0.005 at step 100"});
  CHECK(compared(runs, {.ignore = {"changes"}}).groups.size() == 1);
  const auto further = variant(nothing) + variant([](Metrics& m) {
                         m.changes = {{100, "training.epochs", 2, 4, true},
                                      {100, "environment.isa", "avx2", "avx512", false}};
                       });
  CHECK(compared(further).groups.size() == 1);
}

TEST_CASE("what --over, --ignore and --by name must be there", "[reports]") {
  const auto runs = variant(nothing);
  CHECK_THROWS_WITH(
      compared(runs, {.over = {"dataset.spilt_seed"}}),
      "--over dataset.spilt_seed: no run has such a key or metric; did you mean seed?");
  CHECK_THROWS_WITH(compared(runs, {.ignore = {"environment.gti"}}),
                    "--ignore environment.gti: no run has such a key or metric; did you mean "
                    "environment.git?");
}

}  // namespace
}  // namespace vitrine
