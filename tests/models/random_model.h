#pragma once

#include <fmt/format.h>

#include <random>
#include <set>

#include "framework/registry/registry.h"
#include "tests/models/support.h"

namespace vitrine {

inline Node value_of(const std::string& yaml) {
  return parse_yaml("it: " + yaml, "random.yaml").children[0];
}

// A random composition of all parts that are registered for a model's options, with options of
// their own and sizes that fit no tile.
class RandomModel {
 public:
  RandomModel(const std::string& type, std::mt19937& generator)
      : generator_(generator), options_(resolved_model("{type: " + type + "}")) {}

  // With this one among the parts, if a kind is named.
  void compose(const std::string& kind, const std::string& name) {
    do {
      choose_sizes();
      choose_parts(kind, name);
    } while (!fits());
    options_ = resolved_model(yaml());
    const std::set<std::string> chosen = {"type",     "weights",   "hidden_d",   "n_heads",
                                          "n_blocks", "n_patches", "n_registers"};
    for (Node& option : options_.children) {
      if (!chosen.contains(option.key)) change(option);
      if (!option.find("type")) continue;
      for (Node& of_part : option.children) {
        if (of_part.key != "type") change(of_part);
      }
    }
  }

  std::string yaml() const { return to_flow_yaml(options_); }
  const ModelContext& images() const { return images_; }

 private:
  int64_t pick(int64_t low, int64_t high) {
    return std::uniform_int_distribution<int64_t>(low, high)(generator_);
  }
  bool fits() const { return problems_of_model(yaml(), images_).empty(); }
  void set(const std::string& key, const std::string& value) {
    if (options_.find(key)) options_.set(key, value_of(value));
  }

  void choose_sizes() {
    const int64_t rows = pick(1, 6), columns = pick(1, 6);
    int64_t heads = 0, width = 0;  // of fewer columns than 4 a norm makes noise
    while (heads * width < 4) heads = pick(1, 4), width = pick(1, 9);
    const bool square = pick(0, 2) == 0;
    const int64_t side = int64_t{1} << pick(0, 2);
    images_ = images_of(pick(1, 4), rows * (square ? side : pick(1, 5)),
                        columns * (square ? side : pick(1, 6)), pick(2, 11));
    if (!options_.find("n_patches")) images_.height += 12, images_.width += 12;
    set("n_patches", fmt::format("[{}, {}]", rows, columns));
    set("hidden_d", std::to_string(heads * width));
    set("n_heads", std::to_string(heads));
    set("n_blocks", std::to_string(pick(1, 3)));
    set("n_registers", std::to_string(pick(0, 2)));
    set("tasks", pick(0, 1) == 0 ? "[]" : "[{name: a}, {name: b, target: {above: 0}}]");
  }

  void choose_parts(const std::string& kind, const std::string& name) {
    std::vector<std::string> keys;
    for (const Node& option : options_.children) keys.push_back(option.key);
    for (const std::string& key : keys) {
      const auto names = Registry::instance().names(key);
      if (names.empty()) continue;
      const auto any = names[static_cast<size_t>(pick(0, static_cast<int64_t>(names.size()) - 1))];
      set(key, key == kind ? name : any);
    }
  }

  // Takes one of these that the option accepts, or leaves it.
  void change(Node& option) {
    if (!option.children.empty()) return;
    const Node before = option;
    for (const char* value : {"0.25", "3", "true", "false"}) {
      if (pick(0, 1) == 0) continue;
      option = value_of(value);
      option.key = before.key;
      if (fits()) return;
      option = before;
    }
  }

  std::mt19937& generator_;
  Node options_;
  ModelContext images_;
};

}  // namespace vitrine
