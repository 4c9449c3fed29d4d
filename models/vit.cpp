#include <fmt/format.h>
#include <torch/nn/modules/container/modulelist.h>

#include "framework/model/layout.h"
#include "framework/model/recording.h"
#include "framework/registry/register.h"
#include "models/heads.h"
#include "models/position_grid.h"

namespace vitrine {
namespace {

struct Options : HeadsOptions {
  int64_t hidden_d = 64, n_heads = 4, n_blocks = 4;
  std::vector<int64_t> n_patches = {7};
  Choice<Embedding> embedding{"linear_patches"};
  Choice<Position> position{"sincos"};
  Choice<Block> block{"pre_norm"};
  Choice<Attention> attention{"multi_head"};
  Choice<Mlp> mlp{"gelu"};
  Choice<Norm> norm{"layer"};
  bool final_norm = true;
  Choice<Pooling> pooling{"class_token"};
  int64_t n_registers = 0;

  void visit(Fields& field);
  void check(const ModelContext& images, Check& check) const;

  Geometry geometry(const ModelContext& images) const;

 private:
  void check_geometry(const ModelContext& images, Check& check) const;
  void check_parts(const ModelContext& images, Problems& problems) const;
};

// The resolved options as they would be written in a config.
Node written(Options options) { return write_fields(fields_of(options)); }

void Options::visit(Fields& field) {
  ModelOptions::visit(field);
  field("hidden_d", hidden_d, "width of a token", between(1, 1'000'000))
      .words({"dim", "embed_dim", "emb_dim", "embedding_dim", "hidden_dim", "d_model", "model_dim",
              "hidden", "hidden_size", "width"});
  field("n_heads", n_heads, "heads of attention; divides hidden_d", between(1, 1'000'000))
      .words({"heads", "num_heads", "num_attention_heads"});
  field("n_blocks", n_blocks, "number of blocks", between(1, 10'000))
      .words({"depth", "layers", "n_layers", "num_layers", "num_blocks", "num_hidden_layers"});
  field("n_patches", n_patches, "patches along each side of the image: N, or [rows, columns]",
        at_least(1))
      .words({"num_patches", "patch_size", "grid"});
  field("embedding", embedding, "from patches to tokens")
      .words({"embed", "patch_embed", "patchify"});
  field("position", position, "what is added to tell tokens apart by their place")
      .words({"pos", "pos_embed", "pos_embedding", "positional_encoding"});
  field("block", block, "how attention, mlp and norms are joined").words({"residual"});
  field("attention", attention, "how tokens exchange information")
      .words({"attn", "self_attention"});
  field("mlp", mlp, "what is done to each token alone")
      .words({"ffn", "feed_forward", "act", "activation", "hidden_act"});
  field("norm", norm, "normalisation").words({"normalization", "norm_layer"});
  field("final_norm", final_norm, "whether a norm stands between the last block and pooling")
      .words({"last_norm"});
  field("pooling", pooling, "from all tokens to one for each task")
      .words({"pool", "global_pool", "cls_token"});
  field("n_registers", n_registers, "learned tokens that no task reads", between(0, 10'000))
      .words({"registers", "num_registers", "reg_tokens", "num_register_tokens"});
  visit_heads(field);
}

Geometry Options::geometry(const ModelContext& images) const {
  Geometry context;
  context.channels = images.channels;
  context.height = images.height;
  context.width = images.width;
  context.rows = n_patches.front();
  context.columns = n_patches.back();
  context.n_tasks = n_tasks();
  context.hidden_d = hidden_d;
  context.n_heads = n_heads;
  return context;
}

void Options::check(const ModelContext& images, Check& check) const {
  check_tasks(images, check);
  const size_t before = check.problems().size();
  check_geometry(images, check);
  if (check.problems().size() == before) check_parts(images, check.problems());
}

void Options::check_geometry(const ModelContext& images, Check& check) const {
  if (hidden_d % n_heads != 0) {
    check.error({"hidden_d", "n_heads"},
                fmt::format("hidden_d ({}) must be divisible by n_heads ({})", hidden_d, n_heads));
  }
  if (n_patches.empty() || n_patches.size() > 2) {
    return check.error(
        {"n_patches"},
        fmt::format("n_patches has {} entries: write N, or [rows, columns]", n_patches.size()));
  }
  const bool is_pair = n_patches.size() == 2;
  const auto divides = [&](const char* side, int64_t pixels, const char* which, int64_t count) {
    if (pixels % count == 0) return;
    check.error({"n_patches"},
                fmt::format("the image {} ({}) must be divisible by {}n_patches ({})", side, pixels,
                            is_pair ? which : "", count));
  };
  divides("height", images.height, "the rows of ", n_patches.front());
  const bool is_same = !is_pair && images.height == images.width;
  if (!is_same) divides("width", images.width, "the columns of ", n_patches.back());
}

void Options::check_parts(const ModelContext& images, Problems& problems) const {
  const Geometry context = geometry(images);
  embedding.check(context, problems);
  position.check(context, problems);
  attention.check(context, problems);
  mlp.check(context, problems);
  norm.check(context, problems);
  block.check({context, n_blocks}, problems);
  pooling.check(context, problems);
  check_heads(images, hidden_d, problems);
}

// What attentions turn queries and keys by: what goes wrong there is told as the position's.
class TurnedBy : public Position {
 public:
  explicit TurnedBy(std::shared_ptr<Position> position) : position_(std::move(position)) {}

  bool stays_with_tokens() const override {
    return told(*position_, "stays_with_tokens", &Position::stays_with_tokens);
  }
  Value turned(const Value& x, int64_t n_heads) const override {
    return in_component(position_->component(), "turned", [&] {
      Value out = position_->turned(x, n_heads);
      if (out.tokens() != x.tokens() || out.columns() != x.columns()) {
        fail(*position_->component(), "turned",
             fmt::format("of [{}, {}] it made [{}, {}]: it must keep the shape", x.tokens(),
                         x.columns(), out.tokens(), out.columns()));
      }
      return out;
    });
  }

 protected:
  Value forward(const Value& x) override { return (*position_)(x); }

 private:
  std::shared_ptr<Position> position_;
};

// Dosovitskiy et al. 2021, "An image is worth 16x16 words", with exchangeable parts and a special
// token and head for each task; registers: Darcet et al. 2023, "Vision transformers need
// registers".
class Vit : public ModelWithHeads, public PatchModel {
 public:
  // Parameters are drawn in the tutorial's order: embedding, tokens, position, blocks, final norm,
  // heads.
  Vit(const Options& options, const ModelContext& images)
      : options_(options), context_{options.geometry(images)} {
    pooling_ = options_.pooling.create(context_);
    context_.special_tokens = special_tokens_of_pooling() + options_.n_registers;
    embedding_ = add("embedding", options_.embedding.create(context_));
    add_tokens();
    position_ = add("position", options_.position.create(context_));
    turned_by_ = std::make_unique<TurnedBy>(position_);
    context_.position = turned_by_.get();
    add_blocks();
    if (options_.final_norm) final_norm_ = add("final_norm", options_.norm.create(context_));
    add("pooling", pooling_);
    add_heads(options_, options_.hidden_d, images);
  }

  const PartContext& context() const override { return context_; }
  Value embedded(const Value& images) override {
    const int64_t patches = context_.rows * context_.columns;
    return (*position_)(with_tokens((*embedding_)(images, patches, context_.hidden_d)));
  }
  Value encoded(Value x) override {
    for (const auto& block : blocks_) x = (*block)(x);
    return final_norm_ ? (*final_norm_)(x) : x;
  }
  Value features(const Value& images) override {
    return (*pooling_)(without_registers(encoded(embedded(images))), context_.n_tasks,
                       context_.hidden_d);
  }
  LayoutContext layout_context() override;
  std::vector<std::vector<std::string>> layers() const override {
    return layers_with({"embedding", "tokens", "position"}, options_.n_blocks);
  }
  std::vector<std::string> no_weight_decay() const override { return {"tokens"}; }

 private:
  int64_t special_tokens_of_pooling() const {
    const int64_t out = told(*pooling_, "special_tokens", &Pooling::special_tokens);
    if (out < 0)
      fail(*pooling_->component(), "special_tokens", fmt::format("{} are fewer than none", out));
    return out;
  }

  void add_tokens() {
    if (context_.special_tokens == 0) return;
    auto tokens = register_module("tokens", std::make_shared<torch::nn::Module>());
    const auto tasks = options_.tasks_or_default();
    const auto of_pooling = static_cast<size_t>(special_tokens_of_pooling());
    for (size_t i = 0; i < static_cast<size_t>(context_.special_tokens); ++i) {
      std::string name =
          i < tasks.size() ? tasks[i].name : fmt::format("+{}", i - tasks.size() + 1);
      if (i >= of_pooling) name = fmt::format("+register_{}", i - of_pooling);
      tokens_.push_back(tokens->register_parameter(name, at::rand({1, options_.hidden_d})));
    }
  }

  void add_blocks() {
    auto blocks = register_module("blocks", torch::nn::ModuleList());
    BlockContext context{context_,
                         [this] { return options_.norm.create(context_); },
                         [this] { return options_.attention.create(context_); },
                         [this] { return options_.mlp.create(context_); },
                         0,
                         options_.n_blocks};
    for (; context.index < context.n_blocks; ++context.index) {
      const auto block = options_.block.create(context);
      block->set_name(fmt::format("blocks.{}", context.index));
      blocks->push_back(std::static_pointer_cast<torch::nn::Module>(block));
      blocks_.push_back(block);
    }
  }

  Value with_tokens(const Value& patches) const {  // [rows * columns, D] -> [N, D]
    const Scope scope("tokens", "learned");
    std::vector<Value> all;
    for (const Tensor& token : tokens_) all.push_back(table(token));
    all.push_back(patches);
    return join_tokens(all);
  }

  Value without_registers(const Value& x) const {
    if (options_.n_registers == 0) return x;
    const int64_t before = special_tokens_of_pooling();
    const int64_t first = before + options_.n_registers;
    const Value patches = tokens(x, first, x.tokens() - first);
    return before == 0 ? patches : join_tokens({tokens(x, 0, before), patches});
  }

  Options options_;
  PartContext context_;
  std::shared_ptr<Embedding> embedding_;
  std::vector<Tensor> tokens_;  // special tokens, each [1, D]
  std::shared_ptr<Position> position_;
  std::unique_ptr<TurnedBy> turned_by_;
  std::vector<std::shared_ptr<Block>> blocks_;
  std::shared_ptr<Norm> final_norm_;  // may be missing
  std::shared_ptr<Pooling> pooling_;
};

LayoutContext Vit::layout_context() {
  LayoutContext out = ModelWithHeads::layout_context();
  out.rows = context_.rows;
  out.columns = context_.columns;
  out.hidden_d = options_.hidden_d;
  out.options = written(options_);
  // A single task may have named its own.
  out.options.set("head", options_.head_of(options_.tasks_or_default()[0]).write());
  const std::string table = "position.table";
  if (const auto found = out.weights.find(table); found != out.weights.end()) {
    out.conversions[table] = conversion_to_grid(found->second, {context_.rows, context_.columns});
    return out;
  }
  const Tensor image = at::zeros({1, context_.channels, context_.height, context_.width});
  try {
    for (const auto& [name, value] : named_values(*this, image, table))
      out.computed[table] = value[0];
  } catch (const Error&) {
    // Of a model that cannot be recorded no other program has the parts.
  }
  return out;
}

VITRINE_REGISTER(Model, Vit, Options, "Vision Transformer, composed of exchangeable parts")

}  // namespace
}  // namespace vitrine
