#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "framework/model/part.h"
#include "framework/registry/registry.h"

// The interfaces of the parts that a Vision Transformer is made of. N tokens (the special ones
// first), D = hidden_d.
namespace vitrine {

class Position;

// What is known before any part is made.
struct Geometry {
  int64_t channels = 0, height = 0, width = 0;  // of an image
  int64_t rows = 0, columns = 0;                // of patches
  int64_t n_tasks = 1;
  int64_t hidden_d = 0, n_heads = 1;

  int64_t patch_height() const { return height / rows; }
  int64_t patch_width() const { return width / columns; }
};

// What a part stands in.
struct PartContext : Geometry {
  int64_t special_tokens = 0;          // before the patches
  const Position* position = nullptr;  // for what is made behind it: blocks and their parts

  int64_t n_tokens() const { return special_tokens + rows * columns; }
};

class Embedding : public Part {  // images -> [rows * columns, D]
 public:
  static constexpr const char* kKind = "embedding";
  using Context = PartContext;
  using CheckContext = Geometry;
};

class Position : public Part {  // [N, D] -> the same
 public:
  static constexpr const char* kKind = "position";
  using Context = PartContext;
  using CheckContext = Geometry;
  // Whether a token that has gone through it knows its place, wherever it then stands.
  virtual bool stays_with_tokens() const { return true; }
  // What an attention does to its queries and its keys [N, D]; by default nothing.
  virtual Value turned(const Value& x, int64_t /*n_heads*/) const { return x; }

 protected:
  bool keeps_shape() const final { return true; }
};

class Norm : public Part {  // [n, D] -> the same
 public:
  static constexpr const char* kKind = "norm";
  using Context = PartContext;
  using CheckContext = Geometry;

 protected:
  bool keeps_shape() const final { return true; }
};

class Attention : public Part {  // [N, D] -> the same
 public:
  static constexpr const char* kKind = "attention";
  using Context = PartContext;
  using CheckContext = Geometry;

 protected:
  bool keeps_shape() const final { return true; }
};

class Mlp : public Part {  // [n, D] -> the same
 public:
  static constexpr const char* kKind = "mlp";
  using Context = PartContext;
  using CheckContext = Geometry;

 protected:
  bool keeps_shape() const final { return true; }
};

struct BlockGeometry : Geometry {
  int64_t n_blocks = 1;
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
  using CheckContext = BlockGeometry;

 protected:
  bool keeps_shape() const final { return true; }
};

class Pooling : public Part {  // [N, D] -> [n_tasks, D]
 public:
  static constexpr const char* kKind = "pooling";
  using Context = Geometry;
  virtual int64_t special_tokens() const = 0;  // how many the model is to have
};

struct HeadContext {
  int64_t hidden_d = 0, outputs = 0;  // of the task, whatever its type
};

class Head : public Part {  // [1, D] -> [1, outputs]
 public:
  static constexpr const char* kKind = "head";
  using Context = HeadContext;
  virtual bool gives_probabilities() const { return false; }
};

// A model that makes a token of each patch, for experiments that learn from some of the patches.
class PatchModel {
 public:
  virtual ~PatchModel() = default;
  virtual const PartContext& context() const = 0;
  // The special tokens and one of each patch, with their positions: [N, D].
  virtual Value embedded(const Value& images) = 0;
  // What blocks and the last norm make of tokens, any number of them.
  virtual Value encoded(Value tokens) = 0;
};

// Options of a block's two residual branches; a block's own derive from it and call its visit
// first.
struct ResidualOptions {
  using SharedOptions = ResidualOptions;

  std::optional<double> layer_scale;
  double drop_path = 0, dropout = 0;

  void visit(Fields& field);
  void check(const BlockGeometry& context, Check& check) const;
};

// What a branch's output goes through before it is added: dropout, layer scale (Touvron et al.
// 2021, "Going deeper with image transformers") and stochastic depth for each image (Huang et al.
// 2016), whose rate rises linearly with the block's index.
class ResidualBranch : public Part {
 public:
  ResidualBranch(const ResidualOptions& options, const BlockContext& context);

 protected:
  Value forward(const Value& x) override;  // [n, D] -> the same

 private:
  double dropout_, drop_path_ = 0;
  Tensor layer_scale_;
};

}  // namespace vitrine
