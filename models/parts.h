#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "framework/registry/registry.h"
#include "framework/training/part.h"

// The interfaces of the parts that a Vision Transformer is made of. N tokens (the special ones
// first), D = hidden_d.
namespace vitrine {

class Position;

// What a part stands in.
struct PartContext {
  int64_t channels = 0, height = 0, width = 0;  // of an image
  int64_t rows = 0, columns = 0;                // of patches
  int64_t n_tasks = 1;
  int64_t special_tokens = 0;  // before the patches; not known yet while options are checked
  int64_t hidden_d = 0, n_heads = 1;
  const Position* position = nullptr;  // once it is made

  int64_t patch_height() const { return height / rows; }
  int64_t patch_width() const { return width / columns; }
  int64_t n_tokens() const { return special_tokens + rows * columns; }
};

class Embedding : public Part {  // images -> [rows * columns, D]
 public:
  static constexpr const char* kKind = "embedding";
  using Context = PartContext;
};

class Position : public Part {  // [N, D] -> the same
 public:
  static constexpr const char* kKind = "position";
  using Context = PartContext;
  // What an attention does to its queries and its keys [N, D]; by default nothing.
  virtual Value turned(const Value& x, int64_t /*n_heads*/) const { return x; }
};

class Norm : public Part {  // [n, D] -> the same
 public:
  static constexpr const char* kKind = "norm";
  using Context = PartContext;
};

class Attention : public Part {  // [N, D] -> the same
 public:
  static constexpr const char* kKind = "attention";
  using Context = PartContext;
};

class Mlp : public Part {  // [n, D] -> the same
 public:
  static constexpr const char* kKind = "mlp";
  using Context = PartContext;
};

// What a block stands in: it makes its norms, attention and MLP in the order in which their
// parameters are to be drawn.
struct BlockContext : PartContext {
  std::function<std::shared_ptr<Norm>()> make_norm;
  std::function<std::shared_ptr<Attention>()> make_attention;
  std::function<std::shared_ptr<Mlp>()> make_mlp;
  int64_t index = 0, n_blocks = 1;
};

class Block : public Part {  // [N, D] -> the same
 public:
  static constexpr const char* kKind = "block";
  using Context = BlockContext;
};

class Pooling : public Part {  // [N, D] -> [n_tasks, D]
 public:
  static constexpr const char* kKind = "pooling";
  using Context = PartContext;                 // special_tokens is not known yet
  virtual int64_t special_tokens() const = 0;  // how many the model is to have
};

struct HeadContext {
  int64_t hidden_d = 0, classes = 0;
};

class Head : public Part {  // [1, D] -> [1, classes]
 public:
  static constexpr const char* kKind = "head";
  using Context = HeadContext;
  virtual bool gives_probabilities() const { return false; }
};

// Options of a block's two residual branches; a block's own derive from it and call its visit
// first.
struct ResidualOptions {
  std::optional<double> layer_scale;
  double drop_path = 0, dropout = 0;

  void visit(Fields& field) {
    field("layer_scale", layer_scale,
          "initial value of a learned factor for each column of a branch", above(0))
        .words({"init_values"});
    field("drop_path", drop_path,
          "probability that the last block's branches are skipped; earlier ones less",
          from_below(0, 1))
        .words({"stochastic_depth"});
    field("dropout", dropout, "probability that an element of a branch's output is zeroed",
          from_below(0, 1))
        .words({"drop"});
  }
  void check(const BlockContext& context, Check& check) const {
    if (context.n_blocks == 1 && drop_path > 0) {
      check.no_effect("drop_path", "it rises from 0 in the first block, which is the only one");
    }
  }
};

// What a branch's output goes through before it is added: dropout, layer scale (Touvron et al.
// 2021, "Going deeper with image transformers") and stochastic depth for each image (Huang et al.
// 2016), whose rate rises linearly with the block's index.
class ResidualBranch : public Part {
 public:
  ResidualBranch(const ResidualOptions& options, const BlockContext& context)
      : dropout_(options.dropout) {
    if (options.layer_scale) {
      layer_scale_ =
          register_parameter("layer_scale", at::full({context.hidden_d}, *options.layer_scale));
    }
    if (context.n_blocks > 1) {
      drop_path_ = options.drop_path * static_cast<double>(context.index) /
                   static_cast<double>(context.n_blocks - 1);
    }
  }

 protected:
  Value forward(const Value& x) override {  // [n, D] -> the same
    Value out = x;
    if (dropout_ > 0 && is_training()) out = dropout(out, dropout_);
    if (layer_scale_.defined()) out = out * table(layer_scale_);
    if (drop_path_ > 0 && is_training()) out = drop_path(out, drop_path_);
    return out;
  }

 private:
  double dropout_, drop_path_ = 0;
  Tensor layer_scale_;
};

}  // namespace vitrine
