#pragma once

#include <exception>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "framework/sweeps/combinations.h"
#include "framework/sweeps/mistakes.h"
#include "framework/sweeps/plan.h"

namespace vitrine {

// Makes the cells of a sweep: resolves and checks each, and knows those that are there.
class Planner {
 public:
  Planner(const SweepSpec& spec, const Grown& grown, Engine& engine);

  // The cells that were asked for, before any is found impossible.
  size_t expected_trials() const;

  // All cells of a grid; of a search those that are drawn by chance.
  void run(Plan& plan);

  // What a search proposes points of.
  const std::vector<Dimension>& dimensions() const { return dimensions_; }
  // Takes the cells that the sweep has for known, before others are made one by one.
  void adopt(Plan& plan);
  // Adds the cell at a point. False: it is impossible, or one that is there computes the same.
  bool add_at(Plan& plan, const SearchPoint& point);
  // Whether every combination was tried.
  bool is_exhausted() const { return combinations_.is_exhausted(); }

 private:
  struct Known {
    std::string label;
    std::optional<size_t> past;  // of Plan::cells, until the grid comes to it
  };

  // Which values are drawn, and beside which others, is luck: what is wrong with one of them is
  // told all the same.
  void find_mistakes();

  // The choices of a sweep are a list: who lists the items of one value gets a cell of each. Empty
  // where no cell was refused for such a key.
  std::string hint_for_lists(const std::vector<LeftOut>& cells) const;

  // Of many mistaken cells in a row the last ones told nothing new.
  bool is_hopeless();

  // None where there is a mistake, which is kept. Throws ConfigError where it is impossible.
  std::shared_ptr<const ResolvedConfig> resolve(size_t config,
                                                const std::vector<Setting>& settings);

  void add(Plan& plan, const Combination& combination);

  // A cell that is there before the sweep grows.
  void adopt(Plan& plan, const Grown::PastCell& past);

  void leave_out(Plan& plan, const Cell& cell, const std::string& reason);

  // Whether an earlier cell computes the same. Of draws one is enough; of what was listed somebody
  // means another value, unless the sweep had it before.
  bool is_known(Plan& plan, const Cell& cell);

  // What is computed, whatever the seed.
  std::string text_of(const Cell& cell) const;

  Node written(size_t config, const std::vector<Setting>& settings) const;

  // An option that goes with a swept component's type, and that nobody chose, is named behind it:
  // "optimizer=adamw (lr 0.001)".
  void name_followers(Cell& cell, const Plan& plan) const;

  // "lr 0.001" of each option below the component that other types have as well, with another
  // value.
  static std::vector<std::string> followers(const std::string& component, const Cell& cell,
                                            const Plan& plan);

  // A grid that grows has all that it had.
  void refuse_lost(const Plan& plan) const;

  std::string label(const Combination& combination) const;

  const SweepSpec& spec_;
  const Grown& grown_;
  Engine& engine_;
  std::vector<std::string> configs_;
  Mistakes mistakes_;
  FieldTypes types_;
  Space space_;
  std::map<std::string, std::string> names_;  // of the keys that vary
  std::vector<Dimension> dimensions_;
  Combinations combinations_;
  std::map<std::string, Known> known_;  // by what is computed
  std::set<std::string> labels_;
  size_t mistaken_ = 0, told_ = 0, told_at_ = 0;
  bool is_under_way_ = false;  // what is mistaken in a single cell is no reason to stop
  std::exception_ptr first_;
};

}  // namespace vitrine
