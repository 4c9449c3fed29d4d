#include "framework/state/state.h"

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/full.h>
#include <ATen/ops/zeros.h>

#include <cmath>
#include <deque>
#include <random>
#include <set>

#include "framework/error.h"
#include "tests/component.h"

// What a component lists as its state, written and given back.
namespace vitrine {
namespace {

enum class Mood { kCalm, kMoody };

struct Moment {
  double mean = 0;
  std::vector<float> squares;

  void state(State& state) {
    state("mean", mean);
    state("squares", squares);
  }
  bool operator==(const Moment&) const = default;
};

struct Net : torch::nn::Module {
  Net() {
    weight = register_parameter("weight", at::zeros({2}));
    count = register_buffer("count", at::zeros({}, at::kLong));
  }
  Tensor weight, count;
};

// One of each type that a state takes.
struct Everything : Stateful {
  int64_t steps = 0;
  int8_t small = 0;
  uint64_t seed = 0;
  bool is_warm = false;
  float scale = 0;
  double best = 0;
  Mood mood = Mood::kCalm;
  std::string text;
  std::optional<double> last;
  std::vector<double> history;
  std::vector<bool> seen;
  std::deque<int32_t> window;
  std::array<double, 2> pair{};
  std::vector<std::string> names;
  std::map<std::string, Moment> moments;
  std::map<int64_t, double> by_class;
  std::set<int64_t> classes;
  Moment nested;
  std::unique_ptr<Moment> made_later;
  Tensor mean, undefined;
  std::vector<Tensor> queue;
  std::mt19937 engine;
  std::mt19937_64 wide_engine;
  std::normal_distribution<double> normal;
  at::Generator generator = at::detail::createCPUGenerator(0);
  std::shared_ptr<Net> teacher = std::make_shared<Net>();

  void state(State& state) override {
    state("steps", steps);
    state("small", small);
    state("seed", seed);
    state("is_warm", is_warm);
    state("scale", scale);
    state("best", best);
    state("mood", mood);
    state("text", text);
    state("last", last);
    state("history", history);
    state("seen", seen);
    state("window", window);
    state("pair", pair);
    state("names", names);
    state("moments", moments);
    state("by_class", by_class);
    state("classes", classes);
    state("nested", nested);
    state("made_later", made_later);
    state("mean", mean);
    state("undefined", undefined);
    state("queue", queue);
    state("engine", engine);
    state("wide_engine", wide_engine);
    state("normal", normal);
    state("generator", generator);
    state("teacher", *teacher);
  }
};

void live(Everything& it) {
  const at::NoGradGuard no_grad;
  it.steps = 7;
  it.small = -3;
  it.seed = UINT64_MAX;
  it.is_warm = true;
  it.scale = 0.1F;
  it.best = -INFINITY;
  it.mood = Mood::kMoody;
  it.text = "caf\xc3\xa9 \xff";
  it.last = NAN;
  it.history = {0.1, NAN, 1e300};
  it.seen = {true, false, true};
  it.window = {1, -2};
  it.pair = {0.5, 1.0 / 3};
  it.names = {"a", ""};
  it.moments["x/y"] = {1.5, {0.25F}};
  it.by_class[-1] = 2;
  it.classes = {3, 1};
  it.nested = {2, {1, 2}};
  it.made_later = std::make_unique<Moment>(Moment{4, {}});
  it.mean = at::arange(3, at::kDouble);
  it.queue = {at::full({1, 2}, 5), Tensor()};
  it.engine.discard(11);
  it.wide_engine.discard(12);
  it.normal(it.engine);  // which keeps a second number for its next call
  at::zeros({1}).uniform_(0, 1, it.generator);
  it.teacher->weight.fill_(3);
  it.teacher->count.fill_(4);
}

TEST_CASE("everything that a state takes comes back as it was") {
  Everything it, other;
  live(it);
  const Kept kept = State::of(it).copied();
  // As a file holds it.
  const Kept read = {nlohmann::json::parse(kept.values.dump()), kept.tensors};
  const Unmatched unmatched = State::restore(other, read, at::kCPU);
  CHECK(unmatched.missing.empty());
  CHECK(unmatched.unknown.empty());
  CHECK(is_same(State::of(other), kept));
  CHECK(other.seed == UINT64_MAX);
  CHECK(other.best == -INFINITY);
  CHECK(std::isnan(*other.last));
  CHECK(other.text == it.text);
  CHECK((other.moments == it.moments));
  CHECK((*other.made_later == *it.made_later));
  CHECK(other.normal(other.engine) == it.normal(it.engine));
  CHECK(other.wide_engine() == it.wide_engine());
  CHECK_FALSE(other.undefined.defined());
  CHECK(other.teacher->count.item<int64_t>() == 4);
}

// Lists what it is told to.
struct Listing : Stateful {
  explicit Listing(std::function<void(State&)> listed) : list(std::move(listed)) {}
  void state(State& state) override { list(state); }
  std::function<void(State&)> list;
};

TEST_CASE("tensors are restored in place where that is possible") {
  Tensor whole = at::zeros({4}), part = whole.narrow(0, 1, 2), grown = at::zeros({1}), late;
  Listing it([&](State& state) {
    state("part", part);
    state("grown", grown);
    state("late", late);
  });
  State::restore(it,
                 {{{"part", {{"tensor", "cpu"}}},
                   {"grown", {{"tensor", "device"}}},
                   {"late", {{"tensor", "cpu"}}}},
                  {{"part", at::full({2}, 1.0F)},
                   {"grown", at::full({3}, 2.0F)},
                   {"late", at::full({1}, 3.0F)}}},
                 at::kCPU);
  CHECK(at::equal(whole, at::tensor({0.0F, 1.0F, 1.0F, 0.0F})));
  CHECK(at::equal(grown, at::full({3}, 2.0F)));
  CHECK(at::equal(late, at::full({1}, 3.0F)));
  State::restore(it,
                 {{{"part", {{"tensor", "cpu"}}},
                   {"grown", {{"tensor", nullptr}}},
                   {"late", {{"tensor", nullptr}}}},
                  {{"part", at::full({2}, 1.0F)}}},
                 at::kCPU);
  CHECK_FALSE(late.defined());  // it was not yet when it was written
}

TEST_CASE("what was not kept stays as it is, and what nobody lists is told of") {
  int64_t count = 5, other = 6;
  Listing it([&](State& state) {
    state("count", count);
    state("other", other);
  });
  const Unmatched unmatched = State::restore(it, {{{"count", 1}, {"mean", 2}}, {}}, at::kCPU);
  CHECK(unmatched.missing == std::vector<std::string>{"other"});
  CHECK(unmatched.unknown == std::vector<std::string>{"mean"});
  CHECK(count == 1);
  CHECK(other == 6);
}

TEST_CASE("what is no state is refused with its place") {
  int64_t count = 0;
  int8_t small = 0;
  std::vector<Moment> moments(1);
  std::mt19937 engine;
  Tensor mean;
  Listing it([&](State& state) {
    state("count", count);
    state("small", small);
    state("moments", moments);
    state("engine", engine);
    state("mean", mean);
  });
  const auto refused = [&](const nlohmann::json& values) -> std::string {
    try {
      State::restore(it, {values, {{"engine", at::zeros({2}, at::kByte)}}}, at::kCPU);
    } catch (const Error& error) {
      return error.what();
    }
    return "";
  };
  CHECK(refused({{"count", "three"}}) == "count: expected an integer, got \"three\"");
  CHECK(refused({{"small", 128}}) == "small: expected an integer from -128 to 127, got 128");
  CHECK(refused({{"moments", {{{"mean", true}}}}}) ==
        "moments/0/mean: expected a number, got true");
  CHECK(refused({{"moments", 1}}) == "moments: expected a list, got 1");
  CHECK(refused({{"engine", {{"tensor", "cpu"}}}}) ==
        "engine: expected the text of such an engine, got {\"tensor\":\"cpu\"}");
  CHECK(refused({{"mean", {{"tensor", "cpu"}}}}) ==
        "mean: expected a tensor that is there, got {\"tensor\":\"cpu\"}");
  CHECK(refused(1) == ": expected a mapping, got 1");
}

TEST_CASE("a name that is listed twice is an error of the component's author") {
  int64_t count = 0;
  Listing it([&](State& state) {
    state("count", count);
    state("count", count);
  });
  CHECK_THROWS_WITH(State::of(it), "a state lists count twice");
}

TEST_CASE("a state is put back after a trial") {
  int64_t count = 1;
  Tensor mean = at::zeros({2});
  Listing it([&](State& state) {
    state("count", count);
    state("mean", mean);
  });
  {
    const KeptMeanwhile kept(it);
    mean.add_(1);
    ++count;
    CHECK(kept.has_changed());
  }
  CHECK(count == 1);
  CHECK(at::equal(mean, at::zeros({2})));
}

}  // namespace
}  // namespace vitrine
