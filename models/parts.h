#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "framework/error.h"
#include "framework/registry/registry.h"
#include "framework/training/torch.h"

// The interfaces of the parts that a Vision Transformer is made of. B images, N tokens (the special
// ones first), D = hidden_d.
namespace vitrine {

// What a part stands in.
struct PartContext {
  int64_t channels = 0, height = 0, width = 0;  // of an image
  int64_t rows = 0, columns = 0;                // of patches
  int64_t n_tasks = 1;
  int64_t special_tokens = 0;  // before the patches; not known yet while options are checked
  int64_t hidden_d = 0, n_heads = 1;

  int64_t patch_height() const { return height / rows; }
  int64_t patch_width() const { return width / columns; }
  int64_t n_tokens() const { return special_tokens + rows * columns; }
};

class Embedding : public torch::nn::Module {
 public:
  static constexpr const char* kKind = "embedding";
  using Context = PartContext;
  virtual Tensor forward(const Tensor& images) = 0;  // float [B, C, H, W] -> [B, rows * columns, D]
  // What its first layer weighs pixels with: [filters, C, height, width]; undefined where it has
  // none.
  virtual Tensor filters() const { return {}; }
};

class Position : public torch::nn::Module {
 public:
  static constexpr const char* kKind = "position";
  using Context = PartContext;
  // [N, D], added to the tokens; undefined where there is none.
  virtual Tensor table(at::Device device) = 0;
};

class Norm : public torch::nn::Module {
 public:
  static constexpr const char* kKind = "norm";
  using Context = PartContext;
  virtual Tensor forward(const Tensor& x) = 0;  // [..., D] -> the same
};

class Attention : public torch::nn::Module {
 public:
  static constexpr const char* kKind = "attention";
  using Context = PartContext;
  // [B, N, D] -> [B, n_queries, D]: only the first n_queries tokens' outputs are computed.
  virtual Tensor forward(const Tensor& x, int64_t n_queries) = 0;
  virtual Tensor probabilities(
      const Tensor& x) = 0;  // [B, N, D] -> [B, heads, N, N], rows sum to 1
};

class Mlp : public torch::nn::Module {
 public:
  static constexpr const char* kKind = "mlp";
  using Context = PartContext;
  virtual Tensor forward(const Tensor& x) = 0;  // [..., D] -> the same
};

// What a block stands in: it makes its norms, attention and MLP in the order in which their
// parameters are to be drawn.
struct BlockContext : PartContext {
  std::function<std::shared_ptr<Norm>()> make_norm;
  std::function<std::shared_ptr<Attention>()> make_attention;
  std::function<std::shared_ptr<Mlp>()> make_mlp;
  int64_t index = 0, n_blocks = 1;
};

class Block : public torch::nn::Module {
 public:
  static constexpr const char* kKind = "block";
  using Context = BlockContext;
  // [B, N, D] -> [B, n_out, D]: only the first n_out tokens' outputs are computed.
  virtual Tensor forward(const Tensor& x, int64_t n_out) = 0;
  virtual Tensor attention_probabilities(const Tensor& x) = 0;  // [B, N, D] -> [B, heads, N, N]
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
// 2021, "Going deeper with image transformers") and stochastic depth for each sample (Huang et al.
// 2016), whose rate rises linearly with the block's index.
class ResidualBranch : public torch::nn::Module {
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

  Tensor forward(Tensor x) {  // [B, n, D] -> the same
    if (dropout_ > 0 && is_training()) x = at::dropout(x, dropout_, true);
    if (layer_scale_.defined()) x = x * layer_scale_;
    if (drop_path_ == 0 || !is_training()) return x;
    return x * at::empty({x.size(0), 1, 1}, x.options())
                   .bernoulli_(1 - drop_path_)
                   .div_(1 - drop_path_);
  }

 private:
  double dropout_, drop_path_ = 0;
  Tensor layer_scale_;
};

class Pooling : public torch::nn::Module {
 public:
  static constexpr const char* kKind = "pooling";
  using Context = PartContext;                 // special_tokens is not known yet
  virtual int64_t special_tokens() const = 0;  // how many the model is to have
  virtual int64_t needed_tokens(
      int64_t n_tokens) const = 0;              // how many of the leading tokens forward reads
  virtual Tensor forward(const Tensor& x) = 0;  // [B, needed_tokens, D] -> [B, n_tasks, D]
  // How much of each token there is in what a task reads: [B, needed_tokens, D] -> [B, n_tasks,
  // needed_tokens], rows sum to 1.
  virtual Tensor shares(const Tensor& x) = 0;
};

struct HeadContext {
  int64_t hidden_d = 0, classes = 0;
};

class Head : public torch::nn::Module {
 public:
  static constexpr const char* kKind = "head";
  using Context = HeadContext;
  virtual Tensor forward(const Tensor& x) = 0;  // [B, D] -> [B, classes]
  virtual bool gives_probabilities() const { return false; }
};

// uint8 images with 255 as 1; others as they are.
inline Tensor to_float(const Tensor& images) {
  return images.scalar_type() == at::kByte ? images.to(at::kFloat).div_(255) : images;
}

// The parts of one model, in the order in which data flow; owned by the model.
struct Parts {
  Embedding* embedding = nullptr;
  std::vector<Tensor> tokens;  // special tokens, each [1, D]
  Position* position = nullptr;
  std::vector<Block*> blocks;
  Norm* final_norm = nullptr;  // may be missing
  Pooling* pooling = nullptr;
  Node choices;  // the model's resolved options, every part's by its kind with its type

  Tensor with_tokens(const Tensor& patches) const {  // [B, rows * columns, D] -> [B, N, D]
    if (tokens.empty()) return patches;
    return at::cat({at::cat(tokens).unsqueeze(0).expand({patches.size(0), -1, -1}), patches}, 1);
  }
  // Throws Error(kUsage) where there is none.
  Tensor position_table() const {  // [N, D]
    const Tensor table = position->table(at::kCPU);
    if (table.defined()) return table;
    throw Error(ExitCode::kUsage, "the model adds no positions that could be shown");
  }
  Tensor with_positions(const Tensor& x) const {  // [B, N, D] -> the same
    const Tensor table = position->table(x.device());
    return table.defined() ? x + table : x;
  }
};

// A model that is made of these parts: a plot finds them so, whatever else the model is.
class Composed {
 public:
  virtual ~Composed() = default;
  virtual const Parts& parts() const = 0;
  virtual const PartContext& geometry() const = 0;
};

// The model that a plot looks into. Throws Error(kUsage) where none was given, or one that is not
// made of parts.
inline const Composed& composed(const torch::nn::Module* model) {
  if (!model)
    throw Error(ExitCode::kUsage, "this picture is of a trained model: give a run after its name");
  if (const auto* parts = dynamic_cast<const Composed*>(model)) return *parts;
  throw Error(
      ExitCode::kUsage,
      "this picture is of a model's embedding, positions and blocks, and the run's model is "
      "not made of such parts");
}

struct EncoderContext : PartContext {
  Parts parts;             // only `choices` while options are checked
  bool raw_pixels = true;  // images arrive as uint8
  std::string device = "cpu";
};

// How embedding, tokens, positions, blocks and pooling are executed.
class Encoder {
 public:
  static constexpr const char* kKind = "encoder";
  using Context = EncoderContext;
  virtual ~Encoder() = default;
  virtual Tensor forward(
      const Tensor& images) = 0;         // uint8 or float [B, C, H, W] -> [B, n_tasks, D]
  virtual std::string name() const = 0;  // what executes: "layers"
  virtual std::string reason() const { return "named by the config"; }
  virtual bool has_own_threads() const { return false; }  // as Model::has_own_threads
};

}  // namespace vitrine
