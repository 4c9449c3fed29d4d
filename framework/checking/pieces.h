#pragma once

#include "framework/checking/tryout.h"
#include "framework/engine/check.h"

// What is tried with a component by itself, by its kind. `component`: a mapping with its type.
namespace vitrine {

// Writes its options and reads them again.
Finding try_options(const std::string& kind, const Node& component);
// Gives each option what it cannot be, and an option that there is not.
Finding try_refusals(const std::string& kind, const Node& component);
// The values of options, one at a time, that a list of words or true and false leaves: each as a
// mapping of that option.
std::vector<Node> other_options(const std::string& kind, const Node& component);

Finding try_transform(const Node& component);
Finding try_loss(const Node& component, const Tryout& tryout);
Finding try_metric(const Node& component, const Tryout& tryout);
Finding try_schedule(const Node& component);
Finding try_dataset(const Node& component);
// Writes each model's weights in it and reads them again.
Finding try_layout(const std::string& name);
// Draws it of the tryout's run "whole".
Finding try_plot(const std::string& name, const Node& options, const Tryout& tryout);

}  // namespace vitrine
