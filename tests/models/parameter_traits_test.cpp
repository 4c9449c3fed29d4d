#include "framework/training/parameter_traits.h"

#include <set>

#include "tests/models/support.h"

// What models and parts tell optimizers of their parameters.
namespace vitrine {
namespace {

using Names = std::vector<std::string>;

std::shared_ptr<Model> model_of(const std::string& yaml) {
  return make_model(yaml, images_of(1, 28, 28));
}

template <class Takes>
Names names_of(const std::string& yaml, const Takes& takes) {
  const auto model = model_of(yaml);
  Names out;
  const FlatParameters parameters(*model);
  for (const auto& slice : parameters.slices()) {
    if (takes(slice)) out.push_back(slice.name);
  }
  return out;
}

using Slice = FlatParameters::Slice;

TEST_CASE("weight decay is kept from tokens, registers and learned positions") {
  const Names kept = names_of(
      "{type: vit, n_blocks: 1, hidden_d: 8, n_heads: 2, position: learned, n_registers: 1, "
      "block: {type: pre_norm, layer_scale: 0.1}}",
      [](const Slice& slice) { return !slice.traits.decays && !slice.name.ends_with(".bias"); });
  CHECK(kept == Names{"tokens.class", "tokens.+register_0", "position.table",
                      "blocks.0.norm1.weight", "blocks.0.norm2.weight",
                      "blocks.0.branch1.layer_scale", "blocks.0.branch2.layer_scale",
                      "final_norm.weight"});
}

TEST_CASE("every model's weight decay acts on matrices, and never on biases and norms") {
  for (const std::string& name : Registry::instance().names(Model::kKind)) {
    CAPTURE(name);
    const Names decayed =
        names_of("{type: " + name + "}", [](const Slice& slice) { return slice.traits.decays; });
    CHECK_FALSE(decayed.empty());
    for (const std::string& parameter : decayed) {
      CAPTURE(parameter);
      CHECK(parameter.ends_with(".weight"));
      CHECK(parameter.find("norm") == std::string::npos);
    }
  }
}

// The first part of the name of each parameter, two of those in a list of blocks, by its layer.
std::map<int64_t, std::set<std::string>> layers_of_model(const std::string& yaml) {
  std::map<int64_t, std::set<std::string>> out;
  const auto model = model_of(yaml);
  const FlatParameters parameters(*model);
  for (const Slice& slice : parameters.slices()) {
    const size_t first = slice.name.find('.');
    const bool is_block = slice.name.starts_with("blocks.");
    out[slice.traits.layers_above].insert(
        slice.name.substr(0, is_block ? slice.name.find('.', first + 1) : first));
  }
  return out;
}

TEST_CASE("the embedding is the first layer, then the blocks; the head and its norm are the last") {
  using Layers = std::map<int64_t, std::set<std::string>>;
  CHECK(layers_of_model("{type: vit, n_blocks: 2, position: learned, pooling: attention, "
                        "n_registers: 1}") == Layers{{0, {"final_norm", "head", "pooling"}},
                                                     {1, {"blocks.1"}},
                                                     {2, {"blocks.0"}},
                                                     {3, {"embedding", "position", "tokens"}}});
  CHECK(layers_of_model("{type: mixer, n_blocks: 2}") ==
        Layers{
            {0, {"final_norm", "head"}}, {1, {"blocks.1"}}, {2, {"blocks.0"}}, {3, {"embedding"}}});
  CHECK(layers_of_model("{type: lenet}") ==
        Layers{{0, {"head"}}, {1, {"fc2"}}, {2, {"fc1"}}, {3, {"conv2"}}, {4, {"conv1"}}});
}

TEST_CASE("heads are those of all tasks") {
  const auto is_head = [](const Slice& slice) { return slice.traits.is_head; };
  CHECK(names_of("{type: lenet}", is_head) == Names{"head.weight", "head.bias"});
  CHECK(names_of("{type: vit, tasks: [{name: a}, {name: b, target: {above: 5}}]}", is_head) ==
        Names{"heads.a.weight", "heads.a.bias", "heads.b.weight", "heads.b.bias"});
}

TEST_CASE("a name is no beginning of another: block 1 of more than ten") {
  const auto in_third = [](const Slice& slice) {
    return slice.traits.layers_above == 11 && slice.name.ends_with("norm1.weight");
  };
  CHECK(names_of("{type: vit, n_blocks: 12, hidden_d: 4, n_heads: 1}", in_third) ==
        Names{"blocks.1.norm1.weight"});
}

TEST_CASE("a model within another module tells the same of its parameters") {
  torch::nn::Module outer;
  const auto model = model_of("{type: vit, n_blocks: 1}");
  outer.register_module("inner", std::static_pointer_cast<torch::nn::Module>(model));
  const FlatParameters parameters(outer);
  for (const Slice& slice : parameters.slices()) {
    CAPTURE(slice.name);
    CHECK(slice.traits.is_head == slice.name.starts_with("inner.head."));
    CHECK((slice.traits.layers_above == 2) ==
          (slice.name.starts_with("inner.embedding.") || slice.name.starts_with("inner.tokens.")));
  }
}

}  // namespace
}  // namespace vitrine
