#pragma once

#include <cstdint>
#include <map>

namespace torch::nn {
class Module;
}

namespace vitrine {

// What an optimizer may treat a parameter by.
struct ParameterTraits {
  // Weight decay is meant for it: it has more than one dimension, and is neither a bias nor what a
  // part or model keeps weight decay from (no_weight_decay).
  bool decays = true;
  bool is_head = false;      // it belongs to what Model::heads names
  int64_t layers_above = 0;  // between it and the outputs; 0 in the last of Model::layers
};

// The traits of all parameters of a module and of the models and parts in it, by their TensorImpl.
std::map<const void*, ParameterTraits> traits_of(torch::nn::Module& module);

}  // namespace vitrine
