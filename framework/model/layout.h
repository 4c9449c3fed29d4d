#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "framework/registry/registry.h"
#include "framework/tensor.h"

namespace vitrine {

// What a weight that other data shaped became, and what is said of it.
struct ConvertedWeight {
  Tensor value;
  std::string message;
};

// A model as its layouts see it.
struct LayoutContext {
  int64_t channels = 0, height = 0, width = 0;  // of an image
  int64_t rows = 0, columns = 0;                // of patches; 0 where there are none
  int64_t hidden_d = 0;                         // columns of a token
  std::vector<std::string> tasks;
  Node options;                           // the model's, resolved
  std::map<std::string, Tensor> weights;  // under the model's own names
  // Tables that the model computes and another program may keep among its weights.
  std::map<std::string, Tensor> computed;

  // What of the weights follows the data, and is converted where other data made it.
  std::string input;               // [out, channels, ...] or [out, channels * ...]; may be empty
  std::vector<std::string> heads;  // what the names of each task's head begin with
  // Makes a weight of one for other images, where only the model knows how; none where it cannot.
  using Conversion = std::function<std::optional<ConvertedWeight>(const Tensor& theirs)>;
  std::map<std::string, Conversion> conversions;

  // The shapes of programs that keep a batch's dimension, and of a convolution over patches.
  std::vector<int64_t> token_shape() const { return {1, 1, hidden_d}; }
  std::vector<int64_t> position_shape() const { return {1, 1 + rows * columns, hidden_d}; }
  std::vector<int64_t> patch_shape() const;
};

// Our tensors whose name fits `ours`, and what another program has in their place. A `*` stands for
// a part of a name between dots, at the end for all that is left, and for the same in each name.
struct LayoutRow {
  std::string ours;
  std::vector<std::string> theirs;  // of several, ours is all, one below the other
  std::vector<int64_t> shape = {};  // of each of theirs, where it is not as ours
};

// An option ("attention.output_projection") and the values that the other program has; `type` of a
// component is its name. Where `weight` is not taken from a file, the option may have any value.
struct Fits {
  std::string option;
  std::vector<nlohmann::ordered_json> values;
  std::string weight = "";
};

// The names and shapes that another program gives to the same weights: one table, which is read
// both ways.
class Layout : public Registered {
 public:
  static constexpr const char* kKind = "layout";
  using Context = LayoutContext;

  virtual ~Layout() = default;
  // The first row that fits a name counts; a weight that none fits is a misfit. A computed table
  // counts where a row names it in full.
  virtual std::vector<LayoutRow> table() const = 0;
  // What the model must be like to have an equal in the other program.
  virtual std::vector<Fits> fits() const { return {}; }
  // What else of this model it has no equal of, each in words.
  virtual std::vector<std::string> misfits() const { return {}; }
  // Options that its files do not tell, with the values that it usually computes with.
  virtual std::vector<Fits> usual() const { return {}; }
};

// One of our tensors in another program.
struct LayoutEntry {
  std::string ours;
  std::vector<std::string> theirs;
  std::vector<int64_t> shape;  // of each of theirs
};

// A layout of one model.
class ModelLayout {
 public:
  // Throws Error(kUsage) for a name that is not registered.
  ModelLayout(const std::string& name, const LayoutContext& context);

  const std::string& name() const { return name_; }
  bool is_own() const;  // all has the names that the model itself gives
  const std::vector<LayoutEntry>& entries() const { return entries_; }
  // What of the model the other program has no equal of, but for what is of weights that `skips`
  // names; each in words.
  std::vector<std::string> misfits(const std::vector<std::string>& skips = {}) const;
  // Options with other values than the other program usually has, each in words.
  std::vector<std::string> unusual() const;
  // What we would call a tensor of theirs that may be none of this model's; none where no row has
  // it.
  std::optional<std::string> our_name(const std::string& theirs) const;

 private:
  std::string name_;
  LayoutContext context_;
  std::shared_ptr<Layout> layout_;
  std::vector<LayoutRow> table_;
  std::vector<LayoutEntry> entries_;
  std::vector<std::string> nameless_;  // weights that no row has
};

// What is wrong with another number of tasks, for layouts that have one alone.
std::vector<std::string> unless_one_task(const LayoutContext& context);

// The weights in the registered layout `name`. Throws Error(kUsage) for an unknown one, and for a
// model that has no equal in it.
std::map<std::string, Tensor> weights_in_layout(const std::string& name,
                                                const LayoutContext& context);

// Whether a name fits one of the patterns of a shell, in which `*` stands for anything.
bool fits_any(const std::string& name, const std::vector<std::string>& patterns);

}  // namespace vitrine
