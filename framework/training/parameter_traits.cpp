#include "framework/training/parameter_traits.h"

#include "framework/model/model.h"
#include "framework/model/part.h"

namespace vitrine {
namespace {

using Names = std::vector<std::string>;
using Traits = std::map<const void*, ParameterTraits>;

bool is_within(const std::string& parameter, const std::string& name) {
  return parameter == name || parameter.starts_with(name + ".");
}

// Calls `set` with the traits of each parameter of the module that `names` names.
template <class Set>
void for_each(const torch::nn::Module& module, const Names& names, Traits& traits, const Set& set) {
  if (names.empty()) return;
  for (const auto& item : module.named_parameters()) {
    for (const std::string& name : names) {
      if (is_within(item.key(), name)) set(traits[item.value().unsafeGetTensorImpl()]);
    }
  }
}

void take_from_model(const Model& model, Traits& traits) {
  for_each(model, told(model, "heads", &Model::heads), traits,
           [](ParameterTraits& of) { of.is_head = true; });
  const auto layers = told(model, "layers", &Model::layers);
  for (size_t i = 0; i < layers.size(); ++i) {
    const auto above = static_cast<int64_t>(layers.size() - i);
    for_each(model, layers[i], traits, [&](ParameterTraits& of) { of.layers_above = above; });
  }
}

Names kept_from_decay(const torch::nn::Module& module) {
  if (const auto* part = dynamic_cast<const Part*>(&module))
    return told(*part, "no_weight_decay", &Part::no_weight_decay);
  if (const auto* model = dynamic_cast<const Model*>(&module))
    return told(*model, "no_weight_decay", &Model::no_weight_decay);
  return {};
}

}  // namespace

Traits traits_of(torch::nn::Module& module) {
  Traits out;
  for (const auto& item : module.named_parameters()) {
    const bool is_bias = item.key() == "bias" || item.key().ends_with(".bias");
    out[item.value().unsafeGetTensorImpl()].decays = item.value().dim() > 1 && !is_bias;
  }
  module.apply([&](torch::nn::Module& below) {
    for_each(below, kept_from_decay(below), out, [](ParameterTraits& of) { of.decays = false; });
    if (const auto* model = dynamic_cast<const Model*>(&below)) take_from_model(*model, out);
  });
  return out;
}

}  // namespace vitrine
