// What becomes of a model as it is recorded.
#include "framework/model/recording.h"

#include "framework/model/part.h"
#include "tests/models/agreement.h"

namespace vitrine {
namespace {

const ModelContext kImages = images_of(1, 4, 4);

// A model of one part between two linear layers.
class Around : public Model {
 public:
  explicit Around(const std::shared_ptr<Part>& middle) : middle_(middle) {
    for (const char* name : {"first", "last"}) {
      auto layer = std::make_shared<Linear>(4, 4);
      layer->set_name(name);
      layer->set_type("linear");
      register_module(name, layer);
      (std::string(name) == "first" ? first_ : last_) = layer;
    }
    middle->set_name("middle");
    register_module("middle", middle);
  }

  std::vector<Value> forward(const Value& images) override {
    const Value x = (*last_)((*middle_)((*first_)(patches(images, 2, 2))));
    return {mean_over_tokens(x)};
  }
  const std::vector<Task>& tasks() const override { return tasks_; }

 private:
  std::shared_ptr<Part> first_, middle_, last_;
  std::vector<Task> tasks_;
};

template <class Forward>
class PartOf : public Part {
 public:
  explicit PartOf(Forward forward) : forward_(forward) {
    weight_ = register_parameter("weight", at::randn({4, 4}));
    buffer_ = register_buffer("table", at::randn({4, 4}));
    set_type("own");
  }
  Tensor weight_, buffer_;

 protected:
  Value forward(const Value& x) override { return forward_(*this, x); }

 private:
  Forward forward_;
};

template <class Forward>
std::shared_ptr<Around> around(Forward forward) {
  return std::make_shared<Around>(std::make_shared<PartOf<Forward>>(forward));
}

std::string reason_for_layers(const std::shared_ptr<Model>& model) {
  const BackendChoice choice = choose_backend(outputs_of_tasks(model, {1, 4, 4}), "cpu");
  CHECK(choice.value == kLayers);
  CHECK_FALSE(is_recording());
  CHECK(Scope::path().empty());
  return choice.reason;
}

// Layers serves what is not recorded, and trains it.
void check_trained_by_layers(const std::shared_ptr<Around>& model) {
  Backend layers(model, kLayers, {1, 4, 4}, "cpu");
  const Results results = run(*model, layers, bytes_for(kImages, 5));
  CHECK(results.outputs[0].sizes() == at::IntArrayRef({5, 4}));
  for (const auto& [name, gradient] : results.gradients) {
    CAPTURE(name);
    CHECK(largest(gradient) > 0);
  }
}

}  // namespace

TEST_CASE("a model that can be recorded is") {
  const auto model = around([](auto& part, const Value& x) { return linear(x, part.weight_); });
  const BackendChoice choice = choose_backend(outputs_of_tasks(model, {1, 4, 4}), "cpu");
  CHECK(choice.value == kFused);
  CHECK(choice.reason == "the model can be recorded, and is faster than in layers");
  const BackendChoice elsewhere = choose_backend(outputs_of_tasks(model, {1, 4, 4}), "cuda:0");
  CHECK(elsewhere.value == kLayers);
  CHECK(elsewhere.reason == "fused computes on the CPU alone");
}

TEST_CASE("a part that computes with libtorch itself is named, with its file and line") {
  const auto model = around([](auto& part, const Value& x) -> Value {
    return at::sin(at::matmul(x.tensor(), part.weight_));
  });
  const std::string reason = reason_for_layers(model);
  CHECK_THAT(reason, StartsWith("middle: own computes with libtorch itself (tests/models/"
                                "recording_test.cpp:") &&
                         EndsWith(")"));
  try {
    Backend(model, kFused, {1, 4, 4}, "cpu");
    FAIL("it was taken");
  } catch (const Error& error) {
    CHECK(error.code() == ExitCode::kUsage);
    CHECK(error.what() ==
          "backend: fused cannot execute this model: " + reason + "; layers serves every model");
  }
  check_trained_by_layers(model);
  // What it is made of is told as a whole.
  const auto rows = layers_of(*model, {1, 4, 4});
  REQUIRE(rows.size() == 1);
  CHECK(rows[0].name == "model");
  CHECK(rows[0].parameters == 4 * 4 + 2 * (4 * 4 + 4));
  CHECK(rows[0].flops == 3 * 2 * 4 * 4 * 4);
  CHECK_THROWS_WITH(named_values(*model, bytes_for(kImages, 1), "anything"),
                    "nobody can look into the model: " + reason);
}

TEST_CASE("what is made of a parameter is no constant") {
  const auto scaled =
      around([](auto& part, const Value& x) { return linear(x, part.weight_ * 2); });
  const auto view =
      around([](auto& part, const Value& x) { return linear(x, part.weight_.narrow(0, 0, 4)); });
  for (const auto& model : {scaled, view}) {
    const std::string wanted =
        "middle: own computes with what was made of a parameter, not with the parameter itself";
    CHECK(reason_for_layers(model) == wanted);
    const at::NoGradGuard no_grad;  // as in an evaluation
    CHECK(reason_for_layers(model) == wanted);
  }
  check_trained_by_layers(scaled);
  check_trained_by_layers(view);
}

TEST_CASE("numbers that a part brings itself are no result of a step") {
  const auto model = around([](auto& part, const Value& x) {
    return linear(x, part.weight_) + Value(at::ones({1, 4, 4}));
  });
  CHECK(reason_for_layers(model) == "middle: own mixes numbers with what is recorded");
  check_trained_by_layers(model);
}

TEST_CASE("operands that do not fit are told with the part") {
  const auto model = around([](auto& part, const Value& x) {
    return linear(join_columns({x, x}), part.weight_);
  });
  CHECK_THROWS_WITH(record(*model, {1, 4, 4}),
                    "middle: linear: x has 8 columns, the weight [4, 4]");
  CHECK_FALSE(is_recording());
  CHECK(Scope::path().empty());
}

TEST_CASE("buffers are read where they lie, like parameters") {
  const auto model = around(
      [](auto& part, const Value& x) { return linear(x, part.weight_) * table(part.buffer_); });
  const Pair pair(model, kImages);
  const Tensor x = bytes_for(kImages, 9);
  check_agreement(run_fused(pair, x), run_layers(pair, x));
  const at::NoGradGuard no_grad;
  const Tensor before = pair.fused->forward({x, {}, {}})[0];
  for (auto& buffer : model->buffers()) buffer.mul_(3);
  CHECK(difference(pair.fused->forward({x, {}, {}})[0], before) > 1e-3);
  check_outputs(pair.fused->forward({x, {}, {}}), pair.layers->forward({x, {}, {}}));
}

TEST_CASE("constants, and parameters that are used twice, in another order or not at all") {
  const Tensor fixed = at::randn({4, 4});
  const auto model = around([fixed](auto& part, const Value& x) {
    return linear(linear(x, part.weight_) + table(fixed), part.weight_);
  });
  const Pair pair(model, kImages);
  const Tensor x = bytes_for(kImages, 9);
  check_agreement(run_fused(pair, x), run_layers(pair, x));
  const auto unused = around([](auto&, const Value& y) { return gelu(y); });
  const Pair without(unused, kImages);
  check_agreement(run_fused(without, x), run_layers(without, x));
}

TEST_CASE("values have the names that their parts gave, below their places") {
  const auto model = around([](auto& part, const Value& x) {
    const Value y = linear(x, part.weight_);
    named("doubled", [&] { return y * 2; });
    return y;
  });
  const Tensor x = bytes_for(kImages, 3);
  const auto found = named_values(*model, x, "doubled");
  REQUIRE(found.size() == 1);
  CHECK(found[0].first == "middle.doubled");
  CHECK(found[0].second.sizes() == at::IntArrayRef({3, 4, 4}));
  CHECK(named_values(*model, x, "middle.doubled").size() == 1);
  CHECK(named_values(*model, x, "oubled").empty());
  CHECK(model->is_training());
  // Nobody asked for it in a run: it costs nothing.
  const auto plain = around([](auto& part, const Value& y) { return linear(y, part.weight_); });
  const auto rows = layers_of(*model, {1, 4, 4}), without = layers_of(*plain, {1, 4, 4});
  REQUIRE(rows.size() == without.size());
  for (size_t i = 0; i < rows.size(); ++i) CHECK(rows[i].flops == without[i].flops);
}

TEST_CASE("what depends on no image is there for each") {
  const auto model = around([](auto& part, const Value&) { return table(part.weight_); });
  Backend layers(model, kLayers, {1, 4, 4}, "cpu");
  CHECK(layers.forward({at::rand({3, 1, 4, 4}), {}, {}})[0].sizes() == at::IntArrayRef({3, 4}));
}

}  // namespace vitrine
